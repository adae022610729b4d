import Testing

/// Nothing acknowledged is lost, and answers stay right, whatever dies, fills up or changes under load.
///
/// One test after the other, since each of them brings its own daemon, PostgreSQL and load.
@Suite(.serialized) struct LineRateTests {}
