import CIPN
import Glibc
import IPNRing
import IPNSystem
import SystemPackage

/// What a keeper does for a policy: the table of C functions, each of which finds its router through the network record.
enum PolicyHost {
    // Constant after it is made, and never freed: policies keep the pointer.
    nonisolated(unsafe) static let table: UnsafePointer<ipn_policy_host> = {
        let table = UnsafeMutablePointer<ipn_policy_host>.allocate(capacity: 1)
        table.initialize(
            to: ipn_policy_host(
                version: UInt32(IPN_POLICY_VERSION), size: UInt32(MemoryLayout<ipn_policy_host>.size),
                sendmsg: { router($0).send(to: $1, $2) },
                injectmsg: { router($0).inject(from: $1, $2) },
                oobsendmsg: { router($0).tell($1, tag: $2, $3, $4) },
                msgpool_alloc: { router($0).allocate($1) },
                msgpool_put: { router($0).putBack($1) },
                hop_depth: { router($0).depth ?? 0 }))
        return UnsafePointer(table)
    }()

    private static func router(_ network: UnsafeMutablePointer<ipn_policy_network>?) -> Router {
        Unmanaged<Router>.fromOpaque(network!.pointee.keeper).takeUnretainedValue()
    }
}

/// A length is C's size_t, and comes as an Int: of more than half of all sizes it is negative.
extension Router {
    /// Messages that may wait to be handled because a policy injected them.
    private static let injectionLimit = 1024

    func send(to number: CInt, _ message: UnsafePointer<ipn_policy_message>?) -> CInt {
        guard let message, let port = ports[Int(number)], port.queue != nil else { return -ENOENT }
        let (length, tag) = (message.pointee.length, message.pointee.tag)
        guard (0...mtu).contains(length) else { return -EMSGSIZE }
        let ticket = isLossless ? account.add(allocated[UnsafeRawPointer(message)]) : 0
        do throws(Errno) {
            try port.queue!.append(message.pointee.data, length: length, tag: tag, ticket: ticket)
        } catch {
            if isLossless { account.settle(ticket) }
            return -error.rawValue
        }
        return 0
    }

    func inject(from port: CInt, _ message: UnsafePointer<ipn_policy_message>?) -> CInt {
        guard let message else { return -EINVAL }
        guard (0...mtu).contains(message.pointee.length) else { return -EMSGSIZE }
        let hops = depth.map { $0 + 1 } ?? 0
        guard hops <= CUnsignedInt(IPN_POLICY_HOPS) else {
            dropped += 1
            return -ELOOP
        }
        guard injected.count < Router.injectionLimit, let copy = spare.popLast() ?? RoutedMessage(room: mtu) else {
            dropped += 1
            return -ENOBUFS
        }
        copy.fill(message.pointee.data, length: message.pointee.length, tag: message.pointee.tag)
        copy.depth = hops
        copy.port = port
        injected.append(copy)
        return 0
    }

    func tell(_ number: CInt, tag: CInt, _ bytes: UnsafeRawPointer?, _ length: Int) -> CInt {
        guard (0...Int(IPN_POLICY_BYTES)).contains(length) else { return -EMSGSIZE }
        guard let port = ports[Int(number)], !port.isLeaving, port.member.handlesOutOfBand else { return -ENOENT }
        port.tell([UInt8](UnsafeRawBufferPointer(start: bytes, count: length)), tag: tag)
        return 0
    }

    func allocate(_ length: Int) -> UnsafeMutablePointer<ipn_policy_message>? {
        guard (0...mtu).contains(length) else { return nil }
        if isLossless && allocated.count + account.ownPending >= poolSize { return nil }
        guard let message = spare.popLast() ?? RoutedMessage(room: mtu) else { return nil }
        message.reset(length: length, tag: 0)
        allocated[UnsafeRawPointer(message.record)] = message
        return message.record
    }

    func putBack(_ record: UnsafeMutablePointer<ipn_policy_message>?) {
        // What is handled is the keeper's: a policy that gives it back has lost nothing.
        guard let record, let message = allocated.removeValue(forKey: UnsafeRawPointer(record)) else { return }
        recycle(message)
    }

    /// Keeps a few buffers for the next that is needed.
    func recycle(_ message: RoutedMessage) {
        if spare.count < 8 { spare.append(message) }
    }
}
