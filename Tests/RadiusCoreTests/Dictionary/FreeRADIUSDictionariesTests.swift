import Glibc
import Testing

@testable import RadiusCore

/// The dictionaries of Debian's `freeradius-common`, which nobody here wrote.
@Suite(.enabled(if: access("/usr/share/freeradius/dictionary", R_OK) == 0, "needs the package freeradius-common"))
struct FreeRADIUSDictionariesTests {
    private static let directory = "/usr/share/freeradius"

    private func census(_ names: String...) throws -> DictionaryCensus {
        var census = DictionaryCensus()
        for name in names { try census.add(name, in: Self.directory) }
        return census
    }

    @Test func everyLineFromTheRootIsRead() throws {
        let census = try census("dictionary")
        let dictionary = try RadiusDictionary.load(path: Self.directory + "/dictionary")
        #expect(dictionary.attributeCount == census.attributes)
        #expect(dictionary.valueCount == census.values)
        #expect(dictionary.vendorCount == census.vendors)
        #expect(dictionary.warnings == [])
        #expect(census.attributes > 7_000 && census.values > 7_000 && census.vendors > 150)
    }

    /// Files that the root leaves out, mostly because they contradict one that it has. OpenSER's adds to RFC 2865.
    @Test func everyLineOfTheOtherFilesIsRead() throws {
        let standard = "dictionary.rfc2865"
        let others = try DictionaryCensus.names(in: Self.directory).subtracting(census("dictionary").files)
        #expect(others.count > 5)
        for name in others {
            let census = try census(standard, name)
            let dictionary = try RadiusDictionary.load(paths: [Self.directory + "/" + standard, Self.directory + "/" + name])
            #expect(dictionary.attributeCount == census.attributes, "\(name)")
            #expect(dictionary.valueCount == census.values, "\(name)")
            #expect(dictionary.vendorCount == census.vendors, "\(name)")
            #expect(dictionary.warnings.isEmpty == (name != "dictionary.freedhcp"), "\(name)")
        }
    }

    /// Its values of FreeDHCP-Opcode, which no file defines, are counted and named by line.
    @Test func valuesWithoutAnAttributeAreNamedByLine() throws {
        let path = Self.directory + "/dictionary.freedhcp"
        let lines = try DictionaryCensus.text(path).split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
        let stray = lines.indices.filter {
            lines[$0].starts(with: "VALUE".utf8) && String(decoding: lines[$0], as: UTF8.self).contains("FreeDHCP-Opcode")
        }
        let dictionary = try RadiusDictionary.load(path: path)
        #expect(!stray.isEmpty && dictionary.strayValueCount == stray.count)
        for (number, warning) in zip(stray, dictionary.warnings) {
            #expect(warning.hasPrefix("\(path):\(number + 1): "))
            #expect(warning.contains("is for FreeDHCP-Opcode, which no ATTRIBUTE line defines"))
        }
    }

    /// A line of ours and a line of theirs with the same name say the same.
    @Test func shippedDictionariesAgree() throws {
        let theirs = try RadiusDictionary.load(path: Self.directory + "/dictionary")
        let ours = try ShippedDictionaries.loaded.get()
        var compared = 0
        for attribute in ours.attributes {
            guard let other = theirs.attribute(named: attribute.name), !other.isVirtual else { continue }
            // Theirs is the draft's 206; RFC 5090 made it 103.
            if attribute.name == "Digest-Response" { continue }
            #expect(attribute == other)
            #expect(ours.vendor(attribute.path.vendor)?.format == theirs.vendor(attribute.path.vendor)?.format)
            compared += 1
        }
        #expect(compared > 5_000)
    }
}
