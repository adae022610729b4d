import DaemonSettings
import FoundationEssentials
import Logging
import Provisioning
import RadiusCore
import ServiceLifecycle
import UnixSignals

/// SIGHUP: checks the settings again, takes over what can change while running, and reads dictionary and snapshot anew.
struct ReloadOnHangUp: Service {
    let settingsFile: String?
    let feed: SnapshotFeed
    let logger: Logger

    func run() async throws {
        for await _ in await UnixSignalsSequence(trapping: .sighup).cancelOnGracefulShutdown() {
            reload()
        }
    }

    private func reload() {
        do {
            let settings = try Settings.load(file: settingsFile, environment: ProcessInfo.processInfo.environment)
            let dictionary = try RadiusDictionary.load(path: settings.dictionaryPath)
            LogOutput.setLevel(settings.logLevel)
            for warning in dictionary.warnings { logger.warning("dictionary: \(warning)") }
            feed.reload(dictionary: dictionary)
            logger.notice("reloaded: log level, dictionary; the snapshot is being read anew; other settings need a restart")
        } catch let error as SettingsError {
            for mistake in error.mistakes { logger.error("nothing was reloaded: \(mistake)") }
        } catch {
            logger.error("nothing was reloaded: \(error)")
        }
    }
}
