import CIPN
import Glibc
import IPNControl
import IPNSystem
import SystemPackage

/// Options, requests and news of a policy: whatever they are, the bus carries the bytes.
extension Keeper {
    /// The policy, for one who has a part in the network.
    private func policy(for member: Member) throws(Errno) -> Router {
        guard member.holdsNetwork else { throw Errno(rawValue: ENOTCONN) }
        guard let router else { throw Errno(rawValue: ENOPROTOOPT) }
        return router
    }

    private func asker(_ member: Member) -> ipn_policy_node {
        nodeRecord(of: member, port: member.node?.port ?? Int(IPN_PORTNO_ANY))
    }

    /// - Throws: `ENOPROTOOPT` where the network has no policy, or its policy no options; what the policy says.
    func setPolicyOption(_ member: Member, _ request: ipn_request, _ value: [UInt8]) throws(Errno) {
        let router = try policy(for: member)
        guard let set = router.policy.table.setsockopt else { throw Errno(rawValue: ENOPROTOOPT) }
        var node = asker(member)
        let result = router.enter { network in value.withUnsafeBytes { set(network, &node, request.port, request.option, $0.baseAddress, $0.count) } }
        guard result >= 0 else { throw Errno(ofPolicy: result) }
    }

    func getPolicyOption(_ member: Member, _ request: ipn_request) throws(Errno) -> [UInt8] {
        let router = try policy(for: member)
        guard let get = router.policy.table.getsockopt else { throw Errno(rawValue: ENOPROTOOPT) }
        var node = asker(member)
        // The whole room, whatever was asked for: a policy that writes beyond it does so in vain.
        var value = [UInt8](repeating: 0, count: Int(IPN_POLICY_BYTES))
        var length = Int(min(request.value, UInt64(IPN_POLICY_BYTES)))
        let room = length
        let result = router.enter { network in
            value.withUnsafeMutableBytes { get(network, &node, request.port, request.option, $0.baseAddress, &length) }
        }
        guard result >= 0 else { throw Errno(ofPolicy: result) }
        return Array(value.prefix(Int(min(UInt(bitPattern: length), UInt(room)))))
    }

    /// - Returns: the argument as the policy has left it.
    /// - Throws: `ENOTTY` where there is nobody to understand it; what the policy says.
    func control(_ member: Member, _ request: ipn_request, _ argument: [UInt8]) throws(Errno) -> [UInt8] {
        guard member.holdsNetwork else { throw Errno(rawValue: ENOTCONN) }
        guard let router, let control = router.policy.table.ioctl else { throw Errno(rawValue: ENOTTY) }
        var node = asker(member)
        var argument = argument
        let result = router.enter { network in
            argument.withUnsafeMutableBytes { control(network, &node, UInt(request.value), $0.baseAddress, $0.count) }
        }
        guard result >= 0 else { throw Errno(ofPolicy: result) }
        return argument
    }

    /// The oldest news that a node has not fetched.
    func takeNews(_ member: Member, _ answer: inout ipn_answer) throws(Errno) -> [ipn_news_item] {
        guard let router, let node = member.node, let port = router.port(of: node) else { throw Errno(rawValue: ENOTCONN) }
        answer.value = port.newsCount
        guard !port.news.isEmpty else { return [] }
        let news = port.news.removeFirst()
        answer.value = news.number
        var item = ipn_news_item()
        item.level = CInt(options.protocol)
        item.tag = news.tag
        item.length = withUnsafeMutableBytes(of: &item.bytes) { fixedText(news.bytes, into: $0) }
        return [item]
    }
}
