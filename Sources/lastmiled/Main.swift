import ArgumentParser
import DaemonSettings
import FoundationEssentials
import Glibc
import Logging
import Provisioning
import RadiusCore

@main
struct Lastmiled: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "lastmiled",
        abstract: "Answers RADIUS, keeps its accounting, and offers the API over both.",
        subcommands: [Run.self, Check.self, RotateKey.self],
        defaultSubcommand: Run.self)
}

/// Where the settings come from.
struct SettingsOptions: ParsableArguments {
    @Option(help: "The settings file; LASTMILE_CONFIG and the usual places otherwise.")
    var config: String?

    /// The settings, or an exit that lists every mistake.
    func load() throws -> Settings {
        do {
            return try Settings.load(file: config, environment: ProcessInfo.processInfo.environment)
        } catch {
            StandardError.write("\(error)")
            throw ExitCode(2)
        }
    }
}

extension Lastmiled {
    struct Run: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Starts the daemon in the foreground.")

        @OptionGroup var settings: SettingsOptions

        @Flag(help: "Fill an empty database with a tenant to try things on.")
        var demo = false

        func run() async throws {
            let settings = try settings.load()
            LogOutput.bootstrap(settings)
            do {
                try await Daemon(settings: settings, settingsFile: self.settings.config, demo: demo).run()
            } catch let failure as StartFailure {
                StandardError.write("lastmiled: \(failure)")
                throw ExitCode(1)
            }
        }
    }

    struct Check: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Checks settings and dictionaries, and exits.")

        @OptionGroup var settings: SettingsOptions

        func run() async throws {
            let settings = try settings.load()
            do {
                let dictionary = try Daemon.loadDictionary(settings)
                if let warning = Parts.radSecWarning(settings.transports) { StandardError.write("lastmiled: warning: \(warning)") }
                for note in settings.notes { StandardError.write("lastmiled: warning: \(note)") }
                let eap = try EAPCertificateFiles(settings.eapTLS).description()
                let radSec = try Parts.radSecDescription(settings.transports)
                print("settings: \(settings.file ?? "defaults"), no mistakes")
                print("eap: \(eap)")
                print("radsec: \(radSec)")
                print("dictionary: \(dictionary.attributeCount) attributes, \(dictionary.valueCount) values")
                for warning in dictionary.warnings { StandardError.write("lastmiled: warning: \(warning)") }
            } catch {
                StandardError.write("lastmiled: \(error)")
                throw ExitCode(1)
            }
        }
    }

    struct RotateKey: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Adds a new key for secrets in the database; restart the daemon to use it.")

        @OptionGroup var settings: SettingsOptions

        func run() async throws {
            let path = Daemon.keyFile(try settings.load())
            do {
                print("key \(try KeyFile.rotate(path: path)) added to \(path)")
            } catch {
                StandardError.write("lastmiled: \(error)")
                throw ExitCode(1)
            }
        }
    }
}

/// What scripts may read: the line `ready` and the hints after it. Unbuffered.
enum StandardOutput {
    static func write(_ text: String) { StandardError.write(text, to: STDOUT_FILENO) }
}

/// Messages for people, and the log.
enum StandardError {
    static func write(_ text: String, to file: Int32 = STDERR_FILENO) {
        let octets = Array((text.hasSuffix("\n") ? text : text + "\n").utf8)
        var sent = 0
        while sent < octets.count {
            let count = octets.withUnsafeBytes { Glibc.write(file, $0.baseAddress?.advanced(by: sent), octets.count - sent) }
            guard count > 0 || errno == EINTR else { return }
            sent += max(0, count)
        }
    }
}

/// The daemon cannot start: what, why, and what to do.
struct StartFailure: Error, CustomStringConvertible {
    let description: String

    init(_ description: String) {
        self.description = description
    }
}
