import CIPN
import Glibc
import IPNRing
import IPNSystem
import SystemPackage

extension Node {
    /// Receives the next message as a copy.
    ///
    /// - Parameter timeout: how long to wait; nil for as long as it takes, zero for not at all.
    /// - Returns: nil where nothing came in time.
    /// - Throws: `ENOTCONN`; `EACCES` where the node may not receive; `EINTR`; `ENOMEM` without memory for the copy of a message
    ///   that is long: it is still the next one then.
    public func receive(timeout: Duration? = nil) throws(IPNError) -> Message? {
        guard let arrival = try begin(timeout: timeout) else { return nil }
        // How long it is was its sender's choice.
        if arrival.count >= 1 << 20, (try? requireMemory(arrival.count)) == nil {
            intake?.pointee.putBack(arrival)
            throw failure(
                Errno(rawValue: ENOMEM), "no memory for a copy of a message of \(arrival.count) bytes", remedy: "free some, or read it in place")
        }
        let message = Message(copying: arrival)
        end(arrival)
        return message
    }

    /// Lends the next message in place: no copy. RT safe, but for the waiting.
    ///
    /// - Parameters:
    ///   - timeout: how long to wait; nil for as long as it takes, zero for not at all.
    ///   - body: gets the message; its bytes are valid until it returns.
    /// - Returns: what `body` returns; nil where nothing came in time.
    @inlinable
    public func withMessage<Result>(
        timeout: Duration? = nil, _ body: (borrowing ArrivedMessage) throws -> Result
    ) throws -> Result? {
        guard let arrival = try begin(timeout: timeout) else { return nil }
        defer { end(arrival) }
        return try body(arrival)
    }

    /// Takes the next message in place: it stays where it is until `end`, which must come before the next `begin`.
    public func begin(timeout: Duration? = nil) throws(IPNError) -> ArrivedMessage? {
        guard let intake else { throw receiveRefusal }
        do throws(Errno) {
            return try intake.pointee.next(timeout: timeout)
        } catch {
            throw receiveFailure(error)
        }
    }

    /// Gives a message back that `begin` lent.
    public func end(_ message: ArrivedMessage) {
        guard message.isData else {
            if isPolled { intake?.pointee.tellPollers() }
            return
        }
        intake?.pointee.finish(message, keepPin: false)
    }

    /// Keeps the next message in place for as long as the result lives. Four of each writer at the same time.
    ///
    /// - Throws: as `receive`; `ENOBUFS` while four messages of the writer are held.
    public func hold(timeout: Duration? = nil) throws(IPNError) -> HeldMessage? {
        guard let arrival = try begin(timeout: timeout) else { return nil }
        return keep(arrival)
    }

    /// Keeps what `begin` lent for as long as the result lives.
    package func keep(_ arrival: ArrivedMessage) -> HeldMessage {
        guard arrival.isData else {
            end(arrival)
            return HeldMessage(arrival, node: self, memory: nil)
        }
        let memory = intake?.pointee.memory(of: arrival.delivery)
        intake?.pointee.finish(arrival, keepPin: true)
        return HeldMessage(arrival, node: self, memory: memory)
    }

    func release(_ message: ArrivedMessage) {
        if message.isData { intake?.pointee.release(message.delivery) }
    }

    /// Messages that this node lost since it joined, whoever sent them; those also of senders that have left. RT safe.
    public var lostCount: UInt64 { region?.words.lost.load() ?? 0 }

    /// Says how long a message had been under way when it was taken, for whoever watches the network (`ipn top`). The bus does
    /// not read messages: the program knows when what they tell of happened. For the receiving thread. RT safe.
    public func note(delay nanoseconds: Int64) { region?.words.delays.note(nanoseconds) }

    /// Says by how much later pictures are taken than the sound that belongs to them, likewise.
    public func note(skew nanoseconds: Int64) {
        // Nothing said is 0.
        region?.words.delays.skew.store(UInt64(bitPattern: nanoseconds == 0 ? 1 : nanoseconds))
    }

    /// Says how much of a stream is missing, since this node joined, for the messages that were lost, likewise.
    public func note(lostTime nanoseconds: UInt64) {
        // Nothing said is 0.
        region?.words.delays.missing.store(nanoseconds == .max ? .max : nanoseconds + 1)
    }

    /// Nanoseconds to look for a message before going to sleep; 0 by default. A spinning reader sees a message in well
    /// under a microsecond, and costs a processor.
    public var spinNanoseconds: UInt64 {
        get { intake?.pointee.spin ?? 0 }
        set { intake?.pointee.spin = newValue }
    }

    private var receiveRefusal: IPNError {
        region == nil
            ? failure(Errno(rawValue: ENOTCONN), "the node is not connected")
            : failure(.permissionDenied, "the node may not receive", remedy: "it needs r on the network")
    }

    private func receiveFailure(_ error: Errno) -> IPNError {
        switch error {
        case .interrupted: failure(error, "interrupted by a signal")
        case .tooManyOpenFiles, .tooManyOpenFilesInSystem:
            failure(error, "no descriptor left for who has joined", remedy: "close some, or raise the limit (ulimit -n)")
        case Errno(rawValue: ESHUTDOWN): receiveRefusal
        case Errno(rawValue: ENOBUFS):
            failure(error, "four messages of a writer are held", remedy: "let go of one of them")
        default: end(of: error) ?? failure(error, "cannot receive: \(error)")
        }
    }
}
