import CIPN
import Glibc
import IPN
import IPNSystem
package import SystemPackage

/// Options of level 0, in every state. See getsockopt(2) and ipn.h.
extension Socket {
    /// - Throws: `EINVAL`, `ENOPROTOOPT`, `EISCONN` too late, `ENOTCONN` too early.
    package func setOption(_ option: CInt, _ value: UnsafeRawBufferPointer) throws(Errno) {
        if option == IPN_SO_DESCR { return try setDescription(Array(value)) }
        if option == IPN_SO_TAG {
            guard value.count == MemoryLayout<UInt64>.size else { throw Errno.invalidArgument }
            let tag = value.loadUnaligned(as: UInt64.self)
            sending.lock()
            self.tag = tag
            return sending.unlock()
        }
        guard value.count >= MemoryLayout<CInt>.size else { throw Errno.invalidArgument }
        let number = Int(value.loadUnaligned(as: CInt.self))
        if option == IPN_SO_SPIN { return try setSpin(microseconds: number) }
        try withState { state throws(Errno) in try set(option, number, &state) }
        if option == IPN_SO_HANDLE_OOB || option == IPN_SO_WANT_OOB_NUMNODES, isOver { tellOfEnd() }
    }

    private func setSpin(microseconds: Int) throws(Errno) {
        guard (0...1_000_000).contains(microseconds) else { throw Errno.invalidArgument }
        receiving.lock()
        onReceiver { [node] in node.spinNanoseconds = UInt64(microseconds) * 1000 }
        receiving.unlock()
    }

    /// Nothing will come any more, as news are not wanted now: who waits for some, in a call or by a poll, finds the end.
    private func tellOfEnd() {
        node.recallSleepers()
        receiving.lock()
        onReceiver { [node] in node.settlePollers() }
        receiving.unlock()
    }

    private func set(_ option: CInt, _ number: Int, _ state: inout State) throws(Errno) {
        func early(_ range: ClosedRange<Int>, bound: Bool = false) throws(Errno) {
            guard !state.isConnected, bound || !state.isBound else { throw Errno(rawValue: EISCONN) }
            guard range.contains(number) else { throw Errno.invalidArgument }
        }
        switch option {
        case IPN_SO_PORT:
            try early(Int(IPN_PORTNO_ANY)...Int(IPN_NUMNODES_MAX) - 1, bound: true)
            state.port = number < 0 ? nil : number
        case IPN_SO_WINDOW:
            try early(1...Int(IPN_MSGPOOLSIZE_MAX), bound: true)
            state.window = number
        case IPN_SO_REPLAY:
            try early(Int(CInt.min)...Int(CInt.max), bound: true)
            state.replays = number != 0
        case IPN_SO_MTU:
            try early(1...Int(IPN_MTU_MAX))
            state.options.mtu = number
        case IPN_SO_NUMNODES:
            try early(1...Int(IPN_NUMNODES_MAX))
            state.options.nodeLimit = number
        case IPN_SO_MSGPOOLSIZE:
            try early(1...Int(IPN_MSGPOOLSIZE_MAX))
            state.options.poolSize = number
        case IPN_SO_FLAGS:
            try early(0...Int(IPN_FLAG_LOSSLESS))
            state.options.isLossless = number & Int(IPN_FLAG_LOSSLESS) != 0
        case IPN_SO_MODE:
            try early(0...0o7777)
            state.options.mode = FilePermissions(rawValue: CModeT(number))
        case IPN_SO_HISTORY:
            try early(0...Int(IPN_HISTORY_MAX))
            state.options.history = number
        case IPN_SO_CHANGE_NUMNODES:
            guard state.isBound else { throw Errno(rawValue: ENOTCONN) }
            guard (1...Int(IPN_NUMNODES_MAX)).contains(number) else { throw Errno.invalidArgument }
            try onNode { node throws(IPNError) in try node.setNodeLimit(number) }
        case IPN_SO_PERSIST:
            if state.isBound {
                try onNode { node throws(IPNError) in try node.setPersistent(number != 0) }
            } else if state.isConnected {
                throw Errno(rawValue: ENOTCONN)
            }
            state.options.isPersistent = number != 0
        case IPN_SO_HANDLE_OOB:
            state.handlesOutOfBand = number != 0
            if state.isBound || state.isConnected {
                try onNode { node throws(IPNError) in try node.setHandlesOutOfBand(number != 0) }
            }
            try wantNumberOfNodes(state)
        case IPN_SO_WANT_OOB_NUMNODES:
            state.wantsNumberOfNodes = number != 0
            try wantNumberOfNodes(state)
        default:
            throw Errno(rawValue: ENOPROTOOPT)
        }
    }

    private func setDescription(_ text: [UInt8]) throws(Errno) {
        // Programs pass a string with its end, or without.
        let text = Array(text.prefix { $0 != 0 })
        guard text.count <= Int(IPN_DESCRLEN) else { throw Errno.invalidArgument }
        try withState { state throws(Errno) in
            if state.isBound || state.isConnected {
                try onNode { node throws(IPNError) in try node.setDescription(bytes: text) }
            }
            state.description = text
        }
    }

    /// Both options together say that news are to come.
    private func wantNumberOfNodes(_ state: State) throws(Errno) {
        let wanted = state.handlesOutOfBand && state.wantsNumberOfNodes
        if state.isBound || state.isConnected, state.handlesOutOfBand != node.observes {
            try onNode { node throws(IPNError) in try node.setHandlesOutOfBand(state.handlesOutOfBand) }
        }
        guard state.isBound || state.isConnected, wanted != node.wantsNumberOfNodes else { return }
        try onNode { node throws(IPNError) in try node.setWantsNumberOfNodes(wanted) }
    }

    private func onNode(_ body: (Node) throws(IPNError) -> Void) throws(Errno) {
        do throws(IPNError) { try body(node) } catch { throw error.errno }
    }

    /// Copies an option's value into `room`.
    /// - Returns: its length in bytes.
    /// - Throws: `EINVAL` where it does not fit, `ENOPROTOOPT`.
    package func option(_ option: CInt, into room: UnsafeMutableRawBufferPointer) throws(Errno) -> Int {
        let value: [UInt8]
        switch option {
        case IPN_SO_DESCR:
            value = try withState { state throws(Errno) in state.description }
        case IPN_SO_TAG:
            sending.lock()
            defer { sending.unlock() }
            value = bytes(tag)
        case IPN_SO_LOST:
            value = try withState { state throws(Errno) in
                let lost = node.lostCount
                defer { state.toldLost = lost }
                return bytes(lost &- state.toldLost)
            }
        default:
            value = bytes(CInt(truncatingIfNeeded: try withState { state throws(Errno) in try number(option, state) }))
        }
        guard room.count >= value.count else { throw Errno.invalidArgument }
        room.copyBytes(from: value)
        return value.count
    }

    private func bytes<Value: FixedWidthInteger>(_ value: Value) -> [UInt8] { withUnsafeBytes(of: value) { Array($0) } }

    private func number(_ option: CInt, _ state: State) throws(Errno) -> Int {
        let isOn = state.isBound || state.isConnected
        // Before bind what was set, after it what the network has.
        let network = isOn ? node.options : state.options
        switch option {
        case IPN_SO_PORT: return state.isConnected ? node.port ?? Int(IPN_PORTNO_ANY) : state.port ?? Int(IPN_PORTNO_ANY)
        case IPN_SO_HANDLE_OOB: return state.handlesOutOfBand ? 1 : 0
        case IPN_SO_WANT_OOB_NUMNODES: return state.wantsNumberOfNodes ? 1 : 0
        case IPN_SO_MTU: return network.mtu
        case IPN_SO_NUMNODES, IPN_SO_CHANGE_NUMNODES:
            // It may have been changed meanwhile.
            return isOn ? (try? node.nodeLimit()) ?? network.nodeLimit : network.nodeLimit
        case IPN_SO_MSGPOOLSIZE: return network.poolSize
        case IPN_SO_FLAGS: return network.isLossless ? Int(IPN_FLAG_LOSSLESS) : 0
        case IPN_SO_MODE:
            guard isOn, let status = node.fileStatus else { return Int(network.mode.rawValue) }
            return Int(status.mode & 0o7777)
        case IPN_SO_HISTORY: return network.history
        case IPN_SO_WINDOW: return state.window ?? network.poolSize
        case IPN_SO_PERSIST: return isOn ? (try? node.isPersistent()).map { $0 ? 1 : 0 } ?? 0 : network.isPersistent ? 1 : 0
        case IPN_SO_REPLAY: return state.replays ? 1 : 0
        case IPN_SO_SPIN: return Int(node.spinNanoseconds / 1000)
        case IPN_SO_PROTOCOL: return isOn ? network.protocolNumber : protocolNumber
        default: throw Errno(rawValue: ENOPROTOOPT)
        }
    }
}
