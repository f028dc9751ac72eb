import CIPN
import Glibc
import IPNControl
import IPNRing
import IPNSystem
import SystemPackage

extension Node {
    /// Whether to be told, out of band, who is connected: at once, and at every change
    /// (`IPN_SO_HANDLE_OOB` and `IPN_SO_WANT_OOB_NUMNODES`). To a node that does not read, changes coalesce.
    public var wantsNumberOfNodes: Bool { wantsCounts }

    /// Asks to be told who is connected, before or after connect.
    public func setWantsNumberOfNodes(_ wanted: Bool) throws(IPNError) {
        if membership != nil { try tellWantsNumberOfNodes(wanted) }
        wantsCounts = wanted
        openIntakeForNews()
        intake?.pointee.toldCounts = wanted ? intake?.pointee.toldCounts ?? 0 : nil
    }

    /// A node that does not receive is told all the same.
    func openIntakeForNews() {
        guard wantsCounts || observes, intake == nil, let membership, let region, let wakers else { return }
        intake = box(
            Intake(
                membership: membership, region: region, wakers: wakers, limit: options.poolSize, replayLimit: options.poolSize,
                wantsHistory: false))
    }

    func tellHandlesOutOfBand() throws(IPNError) {
        try set(Int32(IPN_SO_HANDLE_OOB), value: wantsCounts || observes ? 1 : 0)
    }

    /// Has the keeper ring at changes of the counts.
    func tellWantsNumberOfNodes(_ wanted: Bool) throws(IPNError) {
        try set(Int32(IPN_SO_HANDLE_OOB), value: wanted || observes ? 1 : 0)
        try set(Int32(IPN_SO_WANT_OOB_NUMNODES), value: wanted ? 1 : 0)
        // The first news are there already: whoever polls is told.
        if wanted { wakers?.wakeAll() }
    }

    /// Who is connected at this moment. RT safe.
    public var numberOfNodes: NumberOfNodes {
        guard let membership else { return NumberOfNodes(readers: 0, writers: 0) }
        let counts = NodeCounts(packed: membership.page.counts.loadAcquiring())
        return NumberOfNodes(readers: Int(counts.readers), writers: Int(counts.writers))
    }

    /// A text that `ipn show` prints for this node, up to 128 bytes (`IPN_SO_DESCR`).
    public func setDescription(_ text: String) throws(IPNError) { try setDescription(bytes: Array(text.utf8)) }

    /// The same of bytes in whatever code: who prints them shows what is no UTF-8 as U+FFFD.
    public func setDescription(bytes: [UInt8]) throws(IPNError) {
        guard bytes.count <= Int(IPN_DESCRLEN) else {
            throw failure(.invalidArgument, "a description has at most \(IPN_DESCRLEN) bytes")
        }
        try set(Int32(IPN_SO_DESCR), value: 0, text: bytes)
    }

    /// Whether the network lives on without anybody on it (`IPN_SO_PERSIST`). For a bound node.
    public func setPersistent(_ persistent: Bool) throws(IPNError) {
        try set(Int32(IPN_SO_PERSIST), value: persistent ? 1 : 0)
    }

    /// Changes how many nodes the network takes (`IPN_SO_CHANGE_NUMNODES`). For a bound node.
    /// - Throws: `EADDRINUSE` where a port above is used.
    public func setNodeLimit(_ limit: Int) throws(IPNError) {
        try set(Int32(IPN_SO_CHANGE_NUMNODES), value: limit)
    }

    /// How many nodes the network takes now (`IPN_SO_NUMNODES`).
    public func nodeLimit() throws(IPNError) -> Int { Int(try get(Int32(IPN_SO_NUMNODES))) }

    /// Whether the network lives on without anybody on it, now.
    public func isPersistent() throws(IPNError) -> Bool { try get(Int32(IPN_SO_PERSIST)) != 0 }

    private func get(_ option: Int32) throws(IPNError) -> UInt64 {
        guard let membership else { throw failure(Errno(rawValue: ENOTCONN), "the node is on no network") }
        var request = ipn_request(IPN_OP_GET)
        request.option = option
        do throws(Errno) {
            return try membership.call(request).value
        } catch {
            throw failure(error, "cannot read the option: \(error)")
        }
    }

    private func set(_ option: Int32, value: Int, text: [UInt8] = []) throws(IPNError) {
        guard let membership else { throw failure(Errno(rawValue: ENOTCONN), "the node is on no network") }
        var request = ipn_request(IPN_OP_SET, value: UInt64(max(value, 0)))
        request.option = option
        request.text_length = withUnsafeMutableBytes(of: &request.text) { fixedText(text, into: $0) }
        do throws(Errno) {
            _ = try membership.call(request)
        } catch {
            throw failure(error, "cannot set the option: \(error)")
        }
    }

    /// A descriptor to wait for: readable when there is something to do (a message, news, room on a LOSSLESS network that a
    /// `send` without time has missed, or the end of the keeper). See poll(2).
    ///
    /// Without waits in `receive` itself it is readable only then, but for the moments in which somebody leaves.
    /// For the receiving thread.
    public func fileDescriptor() throws(IPNError) -> CInt {
        guard region != nil, let wakers else { throw failure(Errno(rawValue: ENOTCONN), "the node is not connected") }
        if !isPolled {
            isPolled = true
            outbox?.pointee.isPolled = true
            intake?.pointee.isPolled = true
            intake?.pointee.tellPollers()
        }
        return wakers.handle
    }
}
