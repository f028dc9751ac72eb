import Foundation
import Glibc
import Testing

/// Sound servers behind alsa-lib's plugins, which have clocks of their own: capture and playback, as root and as a plain user.
/// On a busy machine servers themselves lose sound, so that what is looked for is a second without a break, however late.
@Suite(.onStage, .serialized) struct SoundServerTests {
    /// A number in 15 bits of each channel, which every format holds.
    private static func frame(_ number: Int) -> (left: Double, right: Double) {
        (left: Double(number & 0x7fff) / 32768, right: Double(number >> 15) / 32768)
    }

    private static func number(_ frame: (left: Double, right: Double)) -> Int {
        let (low, high) = (Int(frame.left * 32768), Int(frame.right * 32768))
        return low + high << 15
    }

    /// What aplay plays is recorded sample for sample, and not faster than it was played.
    @Test(arguments: SoundServer.Kind.allCases, SoundServer.User.all)
    func captureIsExactAndPaced(kind: SoundServer.Kind, user: SoundServer.User) async throws {
        let scratch = try Scratch()
        try await SoundServer.with(kind, of: user, in: scratch) { server in
            let counting = (1...48000 * 20).map(Self.frame)
            try server.octets(counting).write(to: URL(fileURLWithPath: scratch.file("counting.raw")))
            let player = try server.run(["aplay", "-q", "-D", "mouth"] + server.rawFormat + ["--buffer-time", "500000", "counting.raw"])
            try await server.awaitSound()

            let start = Date().timeIntervalSinceReferenceDate
            let publisher = try server.ipn("publish", "alsa:ears", "net", "--rate", "48000", "--channels", "2", "--buffer", "32768")
            try await until("the network is there: \(publisher.complaint)") { try await scratch.show("net") != nil }
            let recorder = try server.ipn("record", "net", "heard.wav")
            try await until("a second was heard: \(publisher.complaint)") {
                longestRun(server.frames(of: "heard.wav").map(Self.number)) { $1 == $0 + 1 } >= 48000
            }
            for program in [recorder, publisher] {
                program.send(SIGINT)
                try await program.succeeded()
            }
            // Who may not have real time hears without it, and is told once.
            if user == .nobody { #expect(publisher.complaint.ranges(of: "without real-time priority").count == 1, "\(publisher.complaint)") }
            let seconds = Date().timeIntervalSinceReferenceDate - start
            #expect(Double(server.frames(of: "heard.wav").count) / 48000 < seconds + 1.5)
            #expect(player.isRunning)
        }
        try await scratch.expectNothingLeft()
    }

    /// A tone that `ipn play` plays is heard without a jump, though the resampler follows the server's clock.
    @Test(arguments: SoundServer.Kind.allCases, SoundServer.User.all)
    func playbackIsWithoutAJump(kind: SoundServer.Kind, user: SoundServer.User) async throws {
        let scratch = try Scratch()
        try await SoundServer.with(kind, of: user, in: scratch) { server in
            try await tool("ffmpeg", "-v", "error", "-f", "lavfi", "-i", "sine=1000:r=48000:d=60", "-c:a", "pcm_s16le", "tone.wav", in: scratch)
            let publisher = try server.ipn("publish", "tone.wav", "net")
            try await until("the network is there: \(publisher.complaint)") { try await scratch.show("net") != nil }
            let player = try server.ipn("play", "net", "--latency", "400", "--sound-device", "mouth", "--stats")
            try await server.awaitSound()
            try await hearsTone(server, "heard.raw", player)
            for program in [player, publisher] {
                program.send(SIGINT)
                try await program.succeeded()
            }
        }
        try await scratch.expectNothingLeft()
    }

    /// A sound server that ends, as a card that is unplugged, is waited for: the player says so, and goes on.
    @Test func playbackGoesOnWithTheNextServer() async throws {
        let scratch = try Scratch()
        try await SoundServer.with(.pulseAudio, in: scratch) { server in
            try await tool("ffmpeg", "-v", "error", "-f", "lavfi", "-i", "sine=1000:r=48000:d=60", "-c:a", "pcm_s16le", "tone.wav", in: scratch)
            let publisher = try server.ipn("publish", "tone.wav", "net")
            try await until("the network is there: \(publisher.complaint)") { try await scratch.show("net") != nil }
            let player = try server.ipn("play", "net", "--latency", "400", "--sound-device", "mouth")
            try await server.awaitSound()
            try await server.stop()
            try await until("it is missed: \(player.complaint)") { player.complaint.contains("mouth: the sound device is gone") }
            try await server.start()
            try await until("it is found again: \(player.complaint)") { player.complaint.contains("mouth: back again") }
            try await server.awaitSound()
            try await hearsTone(server, "again.raw", player)
            for program in [player, publisher] {
                program.send(SIGINT)
                try await program.succeeded()
            }
        }
        try await scratch.expectNothingLeft()
    }

    /// As does who captures from it.
    @Test(arguments: SoundServer.Kind.allCases) func captureGoesOnWithTheNextServer(kind: SoundServer.Kind) async throws {
        let scratch = try Scratch()
        try await SoundServer.with(kind, in: scratch) { server in
            let counting = (1...48000 * 20).map(Self.frame)
            try server.octets(counting).write(to: URL(fileURLWithPath: scratch.file("counting.raw")))
            let play = ["aplay", "-q", "-D", "mouth"] + server.rawFormat + ["--buffer-time", "500000", "counting.raw"]
            _ = try server.run(play)
            try await server.awaitSound()
            let publisher = try server.ipn("publish", "alsa:ears", "net", "--rate", "48000", "--channels", "2", "--buffer", "32768", "--wait")
            try await until("the network is there: \(publisher.complaint)") { try await scratch.show("net") != nil }
            let recorder = try server.ipn("record", "net", "heard.wav")
            try await scratch.awaitProgress(of: recorder, by: 30)
            try await server.stop()
            try await until("it is missed: \(publisher.complaint)") { publisher.complaint.contains("; waiting for it to come back") }
            try await server.awaitSearch()
            try await server.start()
            _ = try server.run(play)
            try await until("it is found again: \(publisher.complaint)") { publisher.complaint.contains("ears: back again") }
            try await scratch.awaitProgress(of: recorder, by: 30)
            for program in [recorder, publisher] {
                program.send(SIGINT)
                try await program.succeeded()
            }
            #expect(publisher.complaint.ranges(of: "waiting for it to come back").count == 1, "\(publisher.complaint)")
        }
        try await scratch.expectNothingLeft()
    }

    /// alsa-lib waits for it for ever; whoever asks us to stop does not.
    @Test func aServerThatDoesNotAnswerIsLeft() async throws {
        let scratch = try Scratch()
        try await SoundServer.with(.pulseAudio, in: scratch) { server in
            let publisher = try server.ipn("publish", "alsa:ears", "net", "--rate", "48000", "--channels", "2")
            try await until("the network is there: \(publisher.complaint)") { try await scratch.show("net") != nil }
            try await server.suspend()
            let late = try server.ipn("publish", "alsa:ears", "other", "--rate", "48000", "--channels", "2")
            let recorder = try server.ipn("record", "net", "heard.wav")
            try await scratch.awaitReaders(1, "net")
            for program in [publisher, late] {
                program.send(SIGINT)
                #expect(try await program.ended(within: 30).signal == nil)
            }
            _ = try await recorder.ended()
            server.resume()
        }
    }

    /// Waits until a second of the tone was heard without a jump.
    private func hearsTone(_ server: SoundServer, _ recording: String, _ player: Program) async throws {
        let witness = try server.run(["arecord", "-q", "-D", "ears"] + server.rawFormat + ["--buffer-time", "500000", recording])
        try await until("a second was heard: \(player.complaint)") {
            let sound = server.frames(of: recording).map(\.left)
            // Of a sine of any phase, the sum of both neighbours is a sample times a constant. Silence is that as well.
            let turn = 2 * cos(2 * Double.pi * 1000 / 48000)
            let isSine = sound.indices.dropFirst(12).dropLast().map { at in
                abs(sound[at - 1] + sound[at + 1] - turn * sound[at]) < 0.002 && hypot(sound[at], sound[at - 12]) > 0.05
            }
            return longestRun(isSine) { $0 && $1 } >= 48000
        }
        #expect(witness.isRunning)
    }

    /// The elements of the longest stretch of which each pair follows on another.
    private func longestRun<Element>(_ elements: [Element], _ follows: (Element, Element) -> Bool) -> Int {
        var (longest, run) = (0, 0)
        for (element, next) in zip(elements, elements.dropFirst()) {
            run = follows(element, next) ? run + 1 : 0
            longest = max(longest, run)
        }
        return longest
    }
}
