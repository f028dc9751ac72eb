import Glibc
import IPNSystem
import SystemPackage

extension Node {
    /// What arrives, one message after another, for a task: no thread waits.
    ///
    ///     for try await message in node.messages { print(message.bytes.count) }
    ///
    /// It ends where nothing can come any more: the receiving side was shut down, or the task was cancelled. One task
    /// at a time, as for every receive.
    public var messages: Messages { Messages(node: self) }

    public struct Messages: AsyncSequence {
        public typealias Element = Message
        let node: Node

        public func makeAsyncIterator() -> Iterator { Iterator(node: node) }

        public struct Iterator: AsyncIteratorProtocol {
            let node: Node

            /// The next message; nil at the end.
            /// - Throws: `ENOTCONN`; `ENOBUFS` while four messages of a sender are held; `EMFILE`.
            public mutating func next() async throws(IPNError) -> Message? {
                while !Task.isCancelled {
                    do throws(IPNError) {
                        if let message = try node.receive(timeout: .zero) { return message }
                    } catch {
                        // Shut down, perhaps only now.
                        guard error.errno == .permissionDenied, node.isReceivingOver else { throw error }
                        return nil
                    }
                    let descriptor = try node.fileDescriptor()
                    do throws(Errno) {
                        try await Watchman.ofProcess().awaitReadable(descriptor)
                    } catch {
                        throw node.failure(error, "cannot wait for messages: \(error)")
                    }
                }
                return nil
            }
        }
    }
}
