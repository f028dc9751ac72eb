import CIPN
import Glibc
import IPNControl
import IPNRing
import IPNSystem
import SystemPackage

/// A network's policy as its nodes know it: options and requests of its own, and what it tells out of band.
extension Node {
    /// Whether a protocol can be asked for: it is built in, or somebody registered it.
    public static func isRegistered(protocolNumber number: Int) -> Bool {
        number == Int(IPN_ANY) || number == Int(IPN_BROADCAST) || PolicyFolder.path(of: number) != nil
    }

    /// Sets an option of the network's policy. For a node that is bound or connected.
    ///
    /// - Parameters:
    ///   - level: nil for the network's protocol, by which most policies go.
    ///   - value: up to 4096 bytes.
    /// - Throws: `ENOPROTOOPT` where there is no such option; what the policy says.
    public func setPolicyOption(_ option: Int, _ value: [UInt8], level: Int? = nil) throws(IPNError) {
        _ = try askPolicy(policyRequest(IPN_OP_POLICY_SET, option, level), value, "set the policy's option \(option)")
    }

    /// Reads an option of the network's policy.
    /// - Parameter room: bytes that are wanted at most.
    public func policyOption(_ option: Int, room: Int = 4096, level: Int? = nil) throws(IPNError) -> [UInt8] {
        var request = policyRequest(IPN_OP_POLICY_GET, option, level)
        request.value = UInt64(max(room, 0))
        return try askPolicy(request, [], "read the policy's option \(option)")
    }

    /// Makes a request of the network's policy, as ioctl(2) would.
    ///
    /// - Parameter argument: up to 4096 bytes.
    /// - Returns: as many bytes, as the policy has left them.
    /// - Throws: `ENOTTY` where nobody knows the request; what the policy says.
    public func policyControl(_ number: UInt, _ argument: [UInt8] = []) throws(IPNError) -> [UInt8] {
        try askPolicy(ipn_request(IPN_OP_POLICY_IOCTL, value: UInt64(number)), argument, "make the request \(number)")
    }

    private func policyRequest(_ operation: ipn_operation, _ option: Int, _ level: Int?) -> ipn_request {
        var request = ipn_request(operation)
        request.option = CInt(truncatingIfNeeded: option)
        request.port = CInt(truncatingIfNeeded: level ?? options.protocolNumber)
        return request
    }

    private func askPolicy(_ request: ipn_request, _ payload: [UInt8], _ what: String) throws(IPNError) -> [UInt8] {
        guard let membership else { throw failure(Errno(rawValue: ENOTCONN), "the node is on no network") }
        guard payload.count <= Int(IPN_POLICY_BYTES) else {
            throw failure(.invalidArgument, "\(payload.count) bytes for a policy", remedy: "\(IPN_POLICY_BYTES) at most")
        }
        do throws(Errno) {
            return try membership.exchange(request, payload: payload, UInt8.self).items
        } catch {
            throw end(of: error) ?? failure(error, "cannot \(what): \(error)")
        }
    }

    /// Whether to be told out of band at all (`IPN_SO_HANDLE_OOB`): what the policy says, and, where that is asked for too,
    /// who is connected. Before or after connect.
    public func setHandlesOutOfBand(_ wanted: Bool) throws(IPNError) {
        observes = wanted
        if membership != nil { try tellHandlesOutOfBand() }
        openIntakeForNews()
    }

    /// Why the network is gone (`isNetworkGone`); nil while it is not.
    public var networkEnd: IPNError? {
        guard let membership, membership.isSevered else { return nil }
        guard membership.isRouted else { return failure(.brokenPipe, "the network is gone: its keeper has let us go") }
        return routedEnd(.brokenPipe, membership)
    }

    /// The error for what happened on a routed network because it has ended; nil where that is not the reason.
    func end(of errno: Errno) -> IPNError? {
        guard let membership, membership.isRouted, membership.isSevered || errno == .brokenPipe || errno == .connectionReset else { return nil }
        return routedEnd(errno, membership)
    }

    private func routedEnd(_ errno: Errno, _ membership: Membership) -> IPNError {
        let signal = CInt(truncatingIfNeeded: membership.page.ended.loadAcquiring())
        let reason = signal == 0 ? "its keeper is gone" : "its policy crashed (\(String(cString: strsignal(signal))))"
        return failure(errno, "the network has ended: \(reason)", remedy: "make it again")
    }
}
