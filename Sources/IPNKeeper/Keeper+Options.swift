import CIPN
import Glibc
import IPNControl
import SystemPackage

/// Options that are set and read while the network lives.
extension Keeper {
    func setOption(_ member: Member, _ request: ipn_request) throws(Errno) {
        let isOn = request.value != 0
        switch request.option {
        case Int32(IPN_SO_DESCR):
            guard request.text_length <= UInt32(IPN_DESCRLEN) else { throw Errno.invalidArgument }
            member.description = withUnsafeBytes(of: request.text) { Array($0.prefix(Int(request.text_length))) }
        case Int32(IPN_SO_HANDLE_OOB):
            member.handlesOutOfBand = isOn
        case Int32(IPN_SO_WANT_OOB_NUMNODES):
            member.wantsNumberOfNodes = isOn
        case Int32(IPN_SO_CHANGE_NUMNODES):
            guard member.isBound else { throw Errno(rawValue: ENOTCONN) }
            guard (1...UInt64(IPN_NUMNODES_MAX)).contains(request.value) else { throw Errno.invalidArgument }
            guard usedPorts.allSatisfy({ $0 < Int(request.value) }) else { throw Errno(rawValue: EADDRINUSE) }
            if let router { try router.resize(to: UInt32(request.value)) }
            options.node_limit = UInt32(request.value)
            writeOptions()
        case Int32(IPN_SO_PERSIST):
            guard member.isBound else { throw Errno(rawValue: ENOTCONN) }
            options.persist = isOn ? 1 : 0
            writeOptions()
        default:
            throw Errno(rawValue: ENOPROTOOPT)
        }
    }

    func getOption(_ member: Member, _ request: ipn_request, _ answer: inout ipn_answer) throws(Errno) {
        switch request.option {
        case Int32(IPN_SO_NUMNODES): answer.value = UInt64(options.node_limit)
        case Int32(IPN_SO_PERSIST): answer.value = UInt64(options.persist)
        default: throw Errno(rawValue: ENOPROTOOPT)
        }
    }
}
