import IPN
import SystemPackage
import Testing
import TestSupport

/// Messages as a sequence that tasks wait for.
@Suite struct AsyncTests {
    let scratch: Scratch
    let path: String

    init() throws {
        scratch = try Scratch()
        path = scratch("net")
    }

    @Test func everyMessageComesInOrder() async throws {
        let writer = try Node(binding: path, options: .with { $0.isLossless = true })
        let reader = try Node(connecting: path, directions: .receive)
        let count = 5000
        async let received: [Int] = {
            var numbers: [Int] = []
            for try await message in reader.messages {
                numbers.append(Int(message.tag))
                if numbers.count == count { break }
            }
            return numbers
        }()
        // It sleeps for room, which a task must not.
        let sender = OtherThread {
            do throws(IPNError) {
                for number in 0..<count { try writer.send("", tag: UInt64(number)) }
                return nil
            } catch {
                return error.errno
            }
        }
        #expect(try await received == Array(0..<count))
        #expect(sender.wait() == nil)
    }

    /// More tasks than there are threads for tasks: none of them holds one.
    @Test func manyTasksWaitAtOnce() async throws {
        let writer = try Node(binding: path, options: .with { $0.nodeLimit = 200 })
        let readers = try (0..<100).map { _ in try Node(connecting: path, directions: .receive) }
        try await withThrowingTaskGroup(of: [UInt8]?.self) { group in
            for reader in readers {
                group.addTask {
                    for try await message in reader.messages { return message.bytes }
                    return nil
                }
            }
            try writer.send("all")
            for try await bytes in group { #expect(bytes == Array("all".utf8)) }
        }
    }

    @Test func itEndsWithTheReceivingSide() async throws {
        let node = try Node(binding: path)
        let ended = Task.detached {
            for try await _ in node.messages {}
            return true
        }
        try node.shutdown(.receive)
        #expect(try await ended.value)
    }

    @Test func aCancelledTaskWaitsNoMore() async throws {
        let node = try Node(binding: path)
        let waits = Task.detached { for try await _ in node.messages {} }
        waits.cancel()
        try await waits.value
        // And the node is as it was.
        let other = try Node(connecting: path)
        try other.send("x")
        #expect(try node.receive()?.bytes == Array("x".utf8))
    }
}
