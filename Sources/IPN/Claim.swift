import CIPN
import Glibc
import IPNControl
package import IPNSystem
import SystemPackage

/// What a handle stands for that was inherited through exec, passed over a Unix socket, or kept by a forked child.
package struct Claim: Sendable {
    /// The place of a process that has replaced itself is ours; else its rights are shared, and it lives on.
    package let takesPlace: Bool
    package let isBound: Bool
    package let isConnected: Bool
    package let directions: Node.Directions
    package let handlesOutOfBand: Bool
    package let wantsNumberOfNodes: Bool
    package let description: [UInt8]

    init(_ answer: ipn_answer) {
        func has(_ bit: UInt32) -> Bool { answer.rights & bit != 0 }
        takesPlace = answer.value == UInt64(IPN_CLAIM_TAKES)
        isBound = has(UInt32(IPN_CLAIM_BOUND))
        isConnected = has(UInt32(IPN_CLAIM_CONNECTED))
        var directions: Node.Directions = []
        if has(UInt32(IPN_MEMBER_RECEIVES)) { directions.insert(.receive) }
        if has(UInt32(IPN_MEMBER_SENDS)) { directions.insert(.send) }
        self.directions = directions
        handlesOutOfBand = has(UInt32(IPN_CLAIM_HANDLES_OOB))
        wantsNumberOfNodes = has(UInt32(IPN_CLAIM_WANTS_NUMNODES))
        description = withUnsafeBytes(of: answer.text) { Array($0.prefix(Int(min(answer.text_length, UInt32(IPN_DESCRLEN))))) }
    }
}

extension Attachment {
    /// Reaches the network that a handle belongs to, by what its name tells.
    /// - Parameter handle: as it was inherited.
    /// - Throws: `ENOTCONN` where the keeper does not know it, or is gone.
    static func claim(_ handle: borrowing Descriptor) throws(Errno) -> Attachment {
        guard let name = Handle.name(of: handle.raw), let door = Handle.rendezvous(inName: name) else {
            throw Errno(rawValue: ENOTCONN)
        }
        do throws(Errno) {
            let open = try Rendezvous.reach(door: door)
            let keeper = open.keeper
            let attachment = try Introduction(open, file: try handle.duplicate()).greet()
            attachment.link.limitWaiting(milliseconds: 0)
            // Which network it is, the name says as well; who may keep that one, the system.
            guard door.hasSuffix("/" + Rendezvous.name(attachment.status)), Rendezvous.mayKeep(keeper, attachment.status) else {
                throw Errno.notPermitted
            }
            return attachment
        } catch {
            switch error {
            case .notPermitted: throw error
            default: throw Errno(rawValue: ENOTCONN)
            }
        }
    }
}

extension Node {
    /// Takes up what a handle stands for: the network, the rights, and after exec the place of the process that was.
    ///
    /// - Parameters:
    ///   - old: the handle as it was inherited. It must stay open until this returns.
    /// - Returns: what was claimed, and whether this node has been connected again.
    /// - Throws: `ENOTCONN` where it stands for nothing any more.
    package func claim(_ old: borrowing Descriptor) throws(IPNError) -> Claim {
        do throws(Errno) {
            let attachment = try Attachment.claim(old)
            let claim = attachment.claim
            let path = try attachment.path()
            let networkOptions = attachment.options
            let membership = try Membership(path: path, attachment: attachment, options: networkOptions)
            options = NetworkOptions(membership.options)
            networkPath = path
            // A place that is taken keeps its description, which the program may be polling already; one that is shared
            // is the other's.
            if claim.takesPlace { replaceHandle(try Handle(owning: try old.duplicate())) }
            if claim.isBound {
                var request = ipn_request(IPN_OP_BIND)
                request.options.protocol = UInt32(IPN_ANY)
                _ = try membership.call(request)
                isBound = true
                try showHandle(membership)
            }
            observes = claim.handlesOutOfBand
            wantsCounts = claim.handlesOutOfBand && claim.wantsNumberOfNodes
            if claim.isConnected {
                try join(membership, directions: claim.directions, port: nil, history: false, window: nil, protocolNumber: 0)
            }
            self.membership = membership
            // To the keeper it is another member, which has asked for nothing yet.
            if wantsCounts { do throws(IPNError) { try tellWantsNumberOfNodes(true) } catch { throw error.errno } }
            if claim.takesPlace { _ = try membership.call(ipn_request(IPN_OP_SETTLE)) }
            return claim
        } catch {
            throw IPNError(error, path ?? "", "the inherited descriptor stands for nothing any more: \(error)")
        }
    }
}
