import CIPN
import CLinux
import Glibc
import IPNControl
import IPNRing
import IPNSystem
import SystemPackage
import TestSupport

/// A client and member that does what no library of ours would. It says a line once it is at it, and goes on until it
/// is killed, or its input ends.
final class Rogue {
    let path: String
    let marker: Descriptor
    let door: String
    var random = SeededRandom(77)

    init(_ path: String) throws {
        self.path = path
        marker = try Descriptor.open(path, flags: O_PATH)
        door = try Rendezvous(marker: try marker.status()).path
    }

    func act(_ manner: String, _ words: [String]) throws {
        switch manner {
        case "silent": try connectSilently(Int(words[0])!)
        case "garbage": try talkGarbage()
        case "flood": try flood(reading: true)
        case "deaf": try flood(reading: false)
        case "descriptors": try sendWrongDescriptors()
        case "linger": try sendLingeringSockets()
        case "fill", "ring", "scribble", "pile":
            let member = try RogueMember(self)
            switch manner {
            case "fill": try member.fillOwnBells()
            case "ring": try member.ringWithoutEnd()
            case "scribble": try member.scribble(&random)
            default: try member.pile(Int(words[0])!)
            }
        default: fail("what is \(manner)?")
        }
    }

    func say(_ text: String) {
        let line = Array("\(text)\n".utf8)
        _ = write(STDOUT_FILENO, line, line.count)
    }

    /// Whether it shall go on.
    func goesOn() -> Bool { !isReadable(STDIN_FILENO) }

    func waitForEnd() { _ = isReadable(STDIN_FILENO, milliseconds: -1) }

    func connection() throws -> ControlSocket { ControlSocket(try PacketSocket(connectingTo: door)) }

    // MARK: At the door

    private func connectSilently(_ count: Int) throws {
        var held: [CInt] = []
        for _ in 0..<count { held.append(try PacketSocket(connectingTo: door).descriptor.duplicate().release()) }
        say("connected")
        waitForEnd()
    }

    func talkGarbage() throws {
        var isFirst = true
        while goesOn() {
            let control = try connection()
            for _ in 0..<8 {
                var bytes = (0..<Int.random(in: 0..<400, using: &random)).map { _ in UInt8.random(in: 0...255, using: &random) }
                if Bool.random(using: &random) {
                    // Beyond the first look: the right words, and nonsense behind them.
                    var request = ipn_request()
                    request.magic = UInt32(IPN_CONTROL_MAGIC)
                    request.version = UInt32(IPN_CONTROL_VERSION)
                    request.record_version = UInt32(IPN_RECORD_VERSION)
                    request.operation = UInt32.random(in: 0...12, using: &random)
                    bytes = withUnsafeBytes(of: request) { Array($0.prefix(20)) } + (20..<208).map { _ in UInt8.random(in: 0...255, using: &random) }
                }
                let fd = Bool.random(using: &random) ? [marker.raw] : []
                guard (try? bytes.withUnsafeBytes { try control.socket.send([$0], descriptors: fd, flags: CInt(MSG_DONTWAIT)) }) != nil else { break }
            }
            if isFirst { say("talking") }
            isFirst = false
        }
    }

    private func flood(reading: Bool) throws {
        let control = try connection()
        try greet(control)
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: ControlSocket.packetSize, alignment: 16)
        defer { buffer.deallocate() }
        say("flooding")
        while goesOn() {
            for operation in [IPN_OP_STATUS, IPN_OP_PULL, IPN_OP_GET, IPN_OP_HELLO] {
                var request = request(operation)
                request.epoch = .max
                try? control.send(request, descriptors: operation == IPN_OP_HELLO ? [marker.raw] : [])
                if reading { while (try? control.socket.receive(into: buffer, flags: CInt(MSG_DONTWAIT))) != nil {} }
            }
        }
    }

    // MARK: Descriptors of the wrong kind

    private func sendWrongDescriptors() throws {
        let handle = try Handle()
        try handle.name(rendezvous: door)
        let clapper = try handle.clapper()
        var pipes: [CInt] = [-1, -1]
        guard pipe2(&pipes, O_CLOEXEC) == 0 else { throw Trouble("pipe") }
        let unsealed = memfd_create("unsealed", UInt32(MFD_CLOEXEC | MFD_ALLOW_SEALING))
        _ = ftruncate(unsealed, off_t(NodeRegion.size))
        let small = try SharedMemory(name: "small", size: 4096, sealedAgainstMapping: false)
        let region = try SharedMemory(name: "region", size: NodeRegion.size, sealedAgainstMapping: true)
        let bell = try Bell()
        let file = try Descriptor.open("/dev/null", flags: O_RDWR)
        let (good, ring, strike, own) = (region.descriptor.raw, bell.descriptor.raw, clapper.raw, handle.descriptor.raw)
        let bad: [[CInt]] = [
            [], [good], [good, ring], [good, ring, ring], [unsealed, ring, ring, strike, own],
            [small.descriptor.raw, ring, ring, strike, own],
            // Who rings a full pipe waits for its reader.
            [good, pipes[1], pipes[1], strike, own], [good, ring, ring, pipes[1], own], [good, ring, ring, file.raw],
            [good, file.raw, ring, strike, own], [ring, good, ring, strike, own], [CInt](repeating: marker.raw, count: 5),
            [CInt](repeating: ring, count: 60),
        ]
        var answers: Set<CInt> = []
        for descriptors in bad {
            let control = try connection()
            try greet(control)
            answers.insert(try ask(control, request(IPN_OP_CONNECT), descriptors))
            // The memory that it was given shrinks behind its back, as far as it lets it.
            _ = ftruncate(unsealed, 0)
        }
        let member = try RogueMember(self)
        for descriptor in [unsealed, small.descriptor.raw, bell.descriptor.raw, file.raw, pipes[0]] {
            answers.insert(try ask(member.control, request(IPN_OP_POOL), [descriptor]))
        }
        answers.insert(try ask(member.control, request(IPN_OP_CONNECT), [good, ring, ring, strike, own]))
        say("answers \(answers.sorted().map(String.init).joined(separator: " "))")
        waitForEnd()
    }

    /// Whose close waits for a peer that never reads.
    private func sendLingeringSockets() throws {
        for _ in 0..<3 {
            let control = try connection()
            // The second is left in the queue of a connection that is closed. Whose close is the last waits: in a thread,
            // should it be ours.
            for _ in 0..<2 {
                let socket = try lingeringSocket()
                try control.send(request(IPN_OP_HELLO), descriptors: [socket])
                Disposal.close(socket)
            }
        }
        say("sent")
        waitForEnd()
    }

    /// A TCP connection, full, to a peer of ours that does not read; its last close takes as long as it may linger.
    private func lingeringSocket() throws -> CInt {
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let listener = socket(AF_INET, CInt(SOCK_STREAM.rawValue), 0)
        let sender = socket(AF_INET, CInt(SOCK_STREAM.rawValue | SOCK_NONBLOCK.rawValue), 0)
        let isConnected = withUnsafeMutablePointer(to: &address) { pointer in
            let generic = UnsafeMutableRawPointer(pointer).assumingMemoryBound(to: sockaddr.self)
            guard linux_bind(listener, generic, length) == 0, listen(listener, 1) == 0,
                linux_name(listener, generic, &length) == 0
            else { return false }
            return linux_connect(sender, generic, length) == 0 || errno == EINPROGRESS
        }
        guard isConnected, linux_accept(listener, 0) >= 0 else { throw Trouble("no TCP") }
        let bytes = [UInt8](repeating: 0, count: 1 << 16)
        while send(sender, bytes, bytes.count, 0x4000) > 0 {}
        var forever = linger(l_onoff: 1, l_linger: 3600)
        guard setsockopt(sender, SOL_SOCKET, SO_LINGER, &forever, socklen_t(MemoryLayout<linger>.size)) == 0,
            fcntl(sender, F_SETFL, 0) == 0
        else { throw Trouble("cannot linger") }
        return sender
    }

    // MARK: Words

    func request(_ operation: ipn_operation, value: UInt64 = 0) -> ipn_request {
        var request = ipn_request()
        request.operation = operation.rawValue
        request.port = CInt(IPN_PORTNO_ANY)
        request.want = UInt32(IPN_WANT_RECEIVE | IPN_WANT_SEND)
        request.value = value
        return request
    }

    func greet(_ control: borrowing ControlSocket) throws {
        let error = try ask(control, request(IPN_OP_HELLO), [marker.raw])
        guard error == 0 else { throw Trouble("not let in: \(error)") }
    }

    /// - Returns: the error that was answered; -1 where the keeper hung up.
    func ask(
        _ control: borrowing ControlSocket, _ request: ipn_request, _ descriptors: [CInt], _ read: (ipn_answer) -> Void = { _ in }
    ) throws -> CInt {
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: ControlSocket.packetSize, alignment: 16)
        defer { buffer.deallocate() }
        try control.send(request, descriptors: descriptors)
        guard let packet = try? control.socket.receive(into: buffer), packet.length > 0 else { return -1 }
        let answer = buffer.loadUnaligned(as: ipn_answer.self)
        read(answer)
        return answer.error
    }
}
