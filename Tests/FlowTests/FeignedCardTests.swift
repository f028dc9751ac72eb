import Foundation
import Glibc
import Testing

/// What befalls sound cards, on one of our own behind alsa-lib (Tests/FeignedCard): it sleeps, loses sound and is unplugged when
/// told to. Real drivers are in the virtual machine alone, which cannot sleep.
@Suite(.onStage) struct FeignedCardTests {
    private let scratch: Scratch
    private let environment: [String: String]

    init() throws {
        scratch = try Scratch()
        let home = scratch.log("home")
        try FileManager.default.createDirectory(atPath: home, withIntermediateDirectories: true)
        let card = URL(fileURLWithPath: Scratch.executable).deletingLastPathComponent().appendingPathComponent("libfeigned-card.so").path
        let plugin = "pcm_type.feigned { lib \"\(card)\" }\npcm.card { type feigned\n fault \"\(scratch.log("fault"))\" }\n"
        try plugin.write(toFile: home + "/.asoundrc", atomically: true, encoding: .utf8)
        environment = ["HOME": home]
    }

    private func publish(_ options: String...) throws -> Program {
        try scratch.ipn(["publish", "alsa:card", "net"] + options, environment: environment)
    }

    /// The card is there again: both go on, and end well.
    private func comesBack(_ publisher: Program, _ recorder: Program) async throws {
        unlink(scratch.log("fault"))
        try await until("it is found again: \(publisher.complaint)") { publisher.complaint.contains("card: back again") }
        try await scratch.awaitProgress(of: recorder, by: 30)
        for program in [recorder, publisher] {
            program.send(SIGINT)
            try await program.succeeded()
        }
    }

    /// Publishes, with room for what a busy machine does not read at once, and records until that is under way.
    private func recording(_ options: String...) async throws -> (publisher: Program, recorder: Program) {
        let publisher = try scratch.ipn(
            ["publish", "alsa:card", "net", "--rate", "48000", "--period", "512", "--buffer", "32768"] + options, environment: environment)
        try await until("the network is there: \(publisher.complaint)") { try await scratch.show("net") != nil }
        let recorder = try scratch.ipn("record", "net", "heard.wav")
        try await scratch.awaitProgress(of: recorder, by: 30)
        return (publisher, recorder)
    }

    private func happens(_ fault: String) throws {
        try fault.write(toFile: scratch.log("fault"), atomically: true, encoding: .utf8)
    }

    /// The numbers of the samples that were heard.
    private func heard() throws -> [Int] {
        let data = try #require(FileManager.default.contents(atPath: scratch.file("heard.wav")))
        let start = try #require(data.range(of: Data("data".utf8))).upperBound + 4
        return data[start...].withUnsafeBytes { bytes in
            (0..<bytes.count / 4).map { frame in
                let (low, high) = bytes.loadUnaligned(fromByteOffset: frame * 4, as: (Int16, Int16).self)
                return Int(low) + Int(high) << 15
            }
        }
    }

    /// What was missed is counted and told, and what follows is right.
    @Test(arguments: [("sleep", ", slept 1 times"), ("xrun", " xruns, ")])
    func soundGoesOn(after fault: String, said: String) async throws {
        let (publisher, recorder) = try await recording()
        try happens(fault)
        try await until("the card has it: \(publisher.complaint)") { !FileManager.default.fileExists(atPath: scratch.log("fault")) }
        try await scratch.awaitProgress(of: recorder, by: 60)
        for program in [recorder, publisher] {
            program.send(SIGINT)
            try await program.succeeded()
        }
        #expect(publisher.complaint.contains(said) && !publisher.complaint.contains(" 0 periods lost"), "\(publisher.complaint)")
        let numbers = try heard()
        let steps = zip(numbers, numbers.dropFirst()).map { $1 - $0 }
        #expect(steps.allSatisfy { $0 > 0 } && steps.contains { $0 > 1 })
        // Neither does it go on by single samples.
        #expect(steps.count { $0 != 1 } < 20)
        try await scratch.expectNothingLeft()
    }

    /// Whoever runs it has stopped the terminal, or has given it a pipe that is full: sound goes on.
    @Test(arguments: [
        [
            "python3", "-c",
            """
            import os, pty, signal, sys
            child, terminal = pty.fork()
            if child == 0: os.execvp(sys.argv[1], sys.argv[1:])
            signal.signal(signal.SIGINT, lambda *_: os.kill(child, signal.SIGINT))
            os.write(terminal, b"\u{5c}x13")
            sys.exit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
            """,
        ],
        ["bash", "-c", #"mkfifo full; exec 3<>full; head -c 65536 /dev/zero >&3; exec "$@" --progress-descriptor 3"#, "bash"],
    ])
    func whatNobodyReadsHoldsNobodyUp(wrapper: [String]) async throws {
        let publisher = try Program(
            wrapper + [Scratch.executable, "publish", "alsa:card", "net", "--rate", "48000", "--period", "512", "--buffer", "32768"], in: scratch,
            environment: environment)
        try await until("the network is there: \(publisher.complaint)") { try await scratch.show("net") != nil }
        let recorder = try scratch.ipn("record", "net", "heard.wav")
        // Some seconds, in which several reports are due.
        try await scratch.awaitProgress(of: recorder, by: 300)
        publisher.send(SIGINT)
        try await publisher.succeeded()
        try await recorder.succeeded()
        #expect(zip(try heard(), try heard().dropFirst()).allSatisfy { $1 == $0 + 1 })
        try await scratch.expectNothingLeft()
    }

    @Test func anUnpluggedCardEndsTheStream() async throws {
        let (publisher, recorder) = try await recording()
        try happens("gone")
        #expect(try await publisher.ended().status == 1)
        #expect(publisher.complaint.contains("card: the device was unplugged; --wait waits for it to come back"), "\(publisher.complaint)")
        try await recorder.succeeded()
        #expect(try heard().count > 30 * 512)
        try await scratch.expectNothingLeft()
    }

    @Test func anUnpluggedCardIsWaitedFor() async throws {
        let (publisher, recorder) = try await recording("--wait")
        try happens("gone")
        try await until("it is missed: \(publisher.complaint)") { publisher.complaint.contains("card: unplugged; waiting for it to come back") }
        // Whatever looks at new devices may be there first, and goes again.
        try happens("busy")
        let taken = "card: another program uses it; waiting for that to end"
        try await until("it is taken: \(publisher.complaint)") { publisher.complaint.contains(taken) }
        try await comesBack(publisher, recorder)
        try await scratch.expectNothingLeft()
    }

    /// A coder has the card behind a thread of its own: what befalls the card is told all the same, and it rests and ends as ever.
    @Test func aCoderHearsWhatBefallsTheCard() async throws {
        let publisher = try publish("--rate", "48000", "--period", "512", "--encode-audio", "aac", "--wait")
        let description = { @Sendable in try await scratch.show("net")?.nodes.first { $0.pid == publisher.processID }?.description ?? "" }
        try await until("it rests: \(publisher.complaint)") { try await description().hasSuffix(", resting") }
        for round in 1...2 {
            let recorder = try scratch.ipn("record", "net", "\(round).mka")
            try await scratch.awaitProgress(of: recorder, by: 30)
            recorder.send(SIGINT)
            try await recorder.succeeded()
            let packets = try await Recording("\(round).mka", in: scratch).packets("a")
            #expect(packets.count > 20 && packets.map(\.pts) == packets.map(\.pts).sorted())
            try await until("it rests again: \(publisher.complaint)") { try await description().hasSuffix(", resting") }
        }
        let recorder = try scratch.ipn("record", "net", "gone.mka")
        try await scratch.awaitProgress(of: recorder, by: 30)
        try happens("gone")
        try await until("it waits: \(publisher.complaint)") { try await description().hasSuffix(", waiting") }
        try await comesBack(publisher, recorder)
        #expect(publisher.complaint.contains(" periods lost"), "\(publisher.complaint)")
        try await scratch.expectNothingLeft()
    }

    /// Meanwhile newcomers hear what there will be, and whoever asks is told that it waits; it ends in time all the same.
    @Test func whoComesWhileItWaitsIsLookedAfter() async throws {
        let publisher = try publish("--wait", "--duration", "30")
        try await until("the network is there: \(publisher.complaint)") { try await scratch.show("net") != nil }
        let recorder = try scratch.ipn("record", "net", "heard.wav")
        try await scratch.awaitProgress(of: recorder, by: 30)
        try happens("gone")
        try await until("it is said: \(publisher.complaint)") {
            try await scratch.show("net")?.nodes.contains { $0.description.hasSuffix(", waiting") } == true
        }
        let newcomer = try scratch.ipn("record", "net", "never.wav")
        try await until("the newcomer hears something: \(newcomer.complaint)") {
            try await scratch.show("net")?.nodes.contains { $0.pid == newcomer.processID && $0.received > 0 } == true
        }
        try await publisher.succeeded()
        try await recorder.succeeded()
        #expect(try await newcomer.ended().status == 1)
        try await scratch.expectNothingLeft()
    }

    /// It would have sound without end at once.
    @Test func aDeviceWithoutAClockIsRefused() async throws {
        let publisher = try scratch.ipn("publish", "alsa:null", "net")
        try await until("the network is there: \(publisher.complaint)") { try await scratch.show("net") != nil }
        let recorder = try scratch.ipn("record", "net", "heard.wav")
        #expect(try await publisher.ended().status == 1)
        #expect(publisher.complaint.contains("null: gives sound faster than time passes"), "\(publisher.complaint)")
        // It may have come in after the end, and then waits for another.
        recorder.send(SIGINT)
        _ = try await recorder.ended()
        try await scratch.expectNothingLeft()
    }

    /// In a line, and no network is made.
    @Test(arguments: [
        (["--rate", "96000"], "card: no 96000 Hz; it has 44100, 48000 Hz"), (["--channels", "6"], "card: no 6 channels; it has 2"),
        (["--format", "s32"], "card: no s32; it has S16_LE"),
    ])
    func whatItCannotIsSaidWithWhatItCan(options: [String], said: String) async throws {
        let publisher = try scratch.ipn(["publish", "alsa:card", "net"] + options, environment: environment)
        #expect(try await publisher.ended().status == 1)
        #expect(publisher.complaint == "ipn: \(said)\n")
        #expect(!scratch.has("net"))
    }

    @Test func aBusyCardIsRefused() async throws {
        try happens("busy")
        let publisher = try publish()
        #expect(try await publisher.ended().status == 1)
        #expect(publisher.complaint.hasPrefix("ipn: card: another program uses it; end that"), "\(publisher.complaint)")
        #expect(publisher.complaint.count { $0 == "\n" } == 1)
    }

    /// Periods and buffers are taken to the nearest that there is, which is said.
    @Test func anotherPeriodThanAskedIsSaid() async throws {
        let publisher = try publish("--rate", "48000", "--period", "7", "--buffer", "1000")
        try await until("it is said") { publisher.complaint.contains("a buffer of") }
        #expect(publisher.complaint.contains("ipn: card: a period of 256 samples, not 7; it has 256 to 2048\n"), "\(publisher.complaint)")
        #expect(publisher.complaint.contains("ipn: card: a buffer of 768 samples, not 1000; it has 512 to 32768, in whole periods\n"))
        try await until("the network is there") { try await scratch.show("net") != nil }
        publisher.send(SIGINT)
        try await publisher.succeeded()
        try await scratch.expectNothingLeft()
    }
}
