import Support
import Testing

/// The protocol in full, spoken by programs that others wrote.
@Suite(.lastWordsOfTheDaemon) struct ProtocolTests {}
