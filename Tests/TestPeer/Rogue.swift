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
        door = try Rendezvous.reach(try marker.status()).path
    }

    func act(_ manner: String, _ words: [String]) throws {
        switch manner {
        case "silent": try connectSilently(Int(words[0])!)
        case "garbage": try talkGarbage()
        case "flood": try flood(reading: true)
        case "deaf": try flood(reading: false)
        case "descriptors": try sendWrongDescriptors()
        case "linger": try sendLingeringSockets()
        case "peek": try peek()
        case "usurp": try usurp(port: Int32(words[0])!)
        case "return": try returnWithWrongDescriptors()
        case "hoard": try hoardAnswers(Int(words[0])!)
        case "mislead": try mislead(words[0], to: words[1])
        case "outlive": try outlive()
        case "first": try bindFirst()
        case "jam", "flags", "ring", "scribble", "pile", "boast":
            let member = try RogueMember(self, receives: manner != "boast")
            switch manner {
            case "jam": try member.jamOwnBells()
            case "flags": try member.changeFlagsOfBells()
            case "ring": try member.ringWithoutEnd()
            case "scribble": try member.scribble(&random)
            case "boast": try member.boast()
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
        let things = try WrongThings(self)
        var answers: Set<CInt> = []
        for descriptors in things.lists {
            let control = try connection()
            try greet(control)
            answers.insert(try ask(control, request(IPN_OP_CONNECT), descriptors))
            // The memory that it was given shrinks behind its back, as far as it lets it.
            _ = ftruncate(things.unsealed, 0)
        }
        let member = try RogueMember(self)
        for descriptor in things.noPools { answers.insert(try ask(member.control, request(IPN_OP_POOL), [descriptor])) }
        answers.insert(try ask(member.control, request(IPN_OP_CONNECT), things.right))
        say("answers \(answers.sorted().map(String.init).joined(separator: " "))")
        waitForEnd()
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
