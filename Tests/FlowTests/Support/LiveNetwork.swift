import Glibc

/// Runs `body` beside a live network `net` with the test signal, which ends well afterwards and leaves nothing.
func withLiveNetwork(
    _ source: String = "test:", _ options: [String] = [], _ body: (Scratch, Program) async throws -> Void
) async throws {
    let scratch = try Scratch()
    let publisher = try scratch.ipn(["publish", source, "net"] + options)
    try await until("the network is there") { try await scratch.show("net")?.writers == 1 }
    try await body(scratch, publisher)
    publisher.send(SIGINT)
    try await publisher.succeeded()
    try await scratch.expectNothingLeft()
}

/// The same for who needs nothing of the publisher.
func withLiveNetwork(_ source: String = "test:", _ options: [String] = [], _ body: (Scratch) async throws -> Void) async throws {
    try await withLiveNetwork(source, options) { scratch, _ in try await body(scratch) }
}
