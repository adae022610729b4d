# Sourced by scripts/fuzz and scripts/bench: how to compile the decoder of Sources/RadiusCore apart from the package, into one module
# with a program of its own. Called from the top of the checkout.

# Prints the decoder's sources, one a line.
decoder_sources() {
    find Sources/RadiusCore/{Wire,Codec,Dictionary,Authenticator,Authentication,TLS} -name '*.swift' | sort
    # What the proxy does to packets.
    printf 'Sources/RadiusCore/Proxy/%s.swift\n' AccessReason+Proxy AttributeFilter ForwardedRequest HomeServer HomeServerReply Hop ProxyState Realm \
        ReturnedReply VendorPassage ReversePath/OperatorNASIdentifiers ReversePath/RelayedAttributes ReversePath/RelayedRequest
    printf 'Sources/RadiusCore/DynamicAuthorization/%s.swift\n' CoAOutcome CoAReply CoARequest DynamicAuthorizationServer ErrorCause \
        SessionIdentity
    printf 'Sources/RadiusCore/Policy/%s.swift\n' NASVendor VendorIdentification Rules/Language/Glob Rules/Language/RuleError Rules/Language/RuleLexer
    printf 'Sources/RadiusCore/Client/%s.swift\n' ClientCredential ClientPacket ReplyVerification
    printf 'Sources/RadiusCore/Policy/%s.swift\n' AuthenticationMethod IPAddress
    # What EAP and the streams need besides.
    printf '%s\n' Sources/RadiusCore/Policy/AccessReason.swift Sources/RadiusCore/Policy/Bindings/AccessReason+Bindings.swift Sources/RadiusCore/Addresses/AccessReason+Addresses.swift Sources/RadiusCore/Server/EAP/EAPState.swift Sources/RadiusCore/Server/Transports/StreamFramer.swift
    printf 'Sources/RadiusCore/Server/%s.swift\n' Thread SlowChecks/FairQueue Transports/Versions/RadiusVersions Transports/Versions/AttributeTranslation
    # What DTLS looks at before it keeps anything.
    printf 'Sources/RadiusCore/Server/Transports/DTLS/%s.swift\n' DTLSClientHello DTLSCookies DTLSPeer
}

# SwiftPM makes this map for its own builds.
write_module_map() {
    mkdir -p "$1/modules"
    printf 'module CLinux {\n    header "%s"\n    export *\n}\n' "$PWD/Sources/CLinux/include/CLinux.h" >"$1/modules/module.modulemap"
}

swift_flags=(
    -swift-version 6 -parse-as-library -suppress-warnings -module-name Decoder
    -enable-upcoming-feature ExistentialAny -enable-upcoming-feature MemberImportVisibility
    -enable-upcoming-feature InternalImportsByDefault -enable-experimental-feature Lifetimes
    -I Sources/COpenSSL -I Sources/CPasswordHash
)

# check_decoder DIRECTORY: whether what is listed above compiles without the rest of the package, and each program that is made of it.
check_decoder() {
    local sources program
    write_module_map "$1"
    mapfile -t sources < <(decoder_sources)
    swiftc -typecheck "${swift_flags[@]}" -I "$1/modules" "${sources[@]}" || return
    for program in Fuzz/*.swift Benchmarks/*.swift; do
        swiftc -frontend -typecheck "${swift_flags[@]}" -I "$1/modules" -primary-file "$program" "${sources[@]}" || return
    done
}

# compile_decoder DIRECTORY PROGRAM SOURCE FLAG...: compiles the decoder and SOURCE into DIRECTORY/PROGRAM, unless it is newer than both.
compile_decoder() {
    local directory=$1 program=$1/$2 source=$3 sources objects unit
    shift 3
    if [[ -x $program && -z $(find "$source" Sources/RadiusCore Sources/CLinux scripts -newer "$program" -print -quit) ]]; then
        return 0
    fi
    echo "building $program, a minute or two"
    write_module_map "$directory"
    objects=()
    for unit in Sources/CLinux/*.c; do
        objects+=("$directory/$(basename "$unit" .c).o")
        clang -O2 -g -ISources/CLinux/include -c "$unit" -o "${objects[-1]}"
    done
    mapfile -t sources < <(decoder_sources)
    # The linker lists the sanitizer's symbols that it need not export; nobody needs to read that.
    swiftc -O -wmo -g "${swift_flags[@]}" -emit-executable -emit-module -emit-module-path "$directory/modules/Decoder.swiftmodule" "$@" \
        -I "$directory/modules" \
        "${sources[@]}" "$source" "${objects[@]}" -o "$program" 2> >(grep -v 'Cannot export local symbol' >&2)
}
