import Foundation
import Glibc
import Testing

/// The other ways out: RTSP, RIST, RTP multicast with a description, fragments.
@Suite(.onStage) struct OutputTests {
    /// Pushed to GStreamer's RTSP server, which is killed and started again.
    @Test func rtspServerIsKilledAndStartedAgain() async throws {
        try await withLiveNetwork { scratch in
            let port = try Net.freePort()
            let first = try await Servers.rtspRecorder("first.mkv", port: port, in: scratch)
            let stream = try scratch.ipn("stream", "net", "rtsp://127.0.0.1:\(port)/cam")
            try await until("it is recorded \(stream.complaint)") { scratch.size("first.mkv") > 50_000 }
            try await Servers.crash(first)
            try await until("the loss is told") { stream.complaint.contains("trying again") }
            let second = try await Servers.rtspRecorder("second.mkv", port: port, in: scratch)
            try await until("it is recorded again \(stream.complaint)") { scratch.size("second.mkv") > 50_000 }
            stream.send(SIGINT)
            try await stream.succeeded()
            let lines = stream.complaint.split(separator: "\n")
            #expect(lines.count == 2 && lines.last?.contains("connected again") == true, "\(stream.complaint)")
            second.send(SIGKILL)
            _ = try await second.ended()
            let heard = Recording("second.mkv", in: scratch)
            #expect(try await heard.codecs().sorted() == ["aac", "h264"])
            let packets = try await heard.packets()
            #expect(packets.count > 25 && packets.first?.isKey == true)
        }
    }

    /// DASH counts segments from 1 in each presentation: the next publisher's overwrite none of those that players still fetch.
    @Test func aSecondPresentationHasNamesOfItsOwn() async throws {
        let scratch = try Scratch()
        let publish = { (input: String) in try scratch.ipn("publish", input, "net", "--wait-readers", "1") }
        let first = try publish(Fixture.bunny)
        try await until("the network is there") { try await scratch.show("net") != nil }
        // Holds the network between the two.
        let keeps = try scratch.ipn("receive", "net", output: "/dev/null")
        let stream = try scratch.ipn("stream", "net", "out/live.mpd", "--follow")
        try await first.succeeded()
        try await until("there are segments") { scratch.has("out/live.mpd") }
        let segments = { try FileManager.default.contentsOfDirectory(atPath: scratch.file("out")).filter { $0.hasSuffix(".m4s") } }
        let octets = { (name: String) in try Data(contentsOf: URL(fileURLWithPath: scratch.file("out/\(name)"))) }
        let before = try segments().map { ($0, try octets($0)) }
        #expect(before.count > 2)
        try await publish("test:size=320x180,duration=5").succeeded()
        stream.send(SIGINT)
        keeps.send(SIGINT)
        try await stream.succeeded()
        for (name, contents) in before where scratch.has("out/\(name)") { #expect(try octets(name) == contents, "\(name)") }
        #expect(try segments().count > before.count)
        #expect(try await Recording("out/live.mpd", in: scratch).codecs().sorted() == ["aac", "h264"])
        _ = try await keeps.ended()
    }

    @Test func ristArrives() async throws {
        try await withLiveNetwork { scratch in
            let port = try Net.freePort()
            let listener = try await Servers.listener("heard.ts", at: "rist://@127.0.0.1:\(port)", port: port, in: scratch)
            let stream = try scratch.ipn("stream", "net", "rist://127.0.0.1:\(port)")
            try await until("it is heard \(stream.complaint) \(listener.complaint)") { scratch.size("heard.ts") > 100_000 }
            stream.send(SIGINT)
            try await stream.succeeded()
            listener.send(SIGINT)
            _ = try await listener.ended()
            let heard = Recording("heard.ts", in: scratch)
            #expect(try await heard.codecs().sorted() == ["aac", "h264"])
            #expect(try await heard.flaws(beginsAnywhere: true) == [])
        }
    }

    /// Nobody is asked for, and so nobody is missed: who listens again hears the stream from there on.
    @Test func whoHearsRISTIsKilledAndStartedAgain() async throws {
        try await withLiveNetwork { scratch in
            let port = try Net.freePort()
            let listen = { name in try await Servers.listener(name, at: "rist://@127.0.0.1:\(port)", port: port, in: scratch) }
            let first = try await listen("first.ts")
            let stream = try scratch.ipn("stream", "net", "rist://127.0.0.1:\(port)")
            try await until("it is heard \(stream.complaint)") { scratch.size("first.ts") > 50_000 }
            try await Servers.crash(first)
            try await until("its port is free") { !Net.isBound(udp: port) }
            let second = try await listen("second.ts")
            try await until("it is heard again \(stream.complaint) \(second.complaint)") { scratch.size("second.ts") > 100_000 }
            #expect(stream.isRunning)
            stream.send(SIGINT)
            try await stream.succeeded()
            second.send(SIGINT)
            _ = try await second.ended()
            let heard = Recording("second.ts", in: scratch)
            #expect(try await heard.codecs().sorted() == ["aac", "h264"])
            #expect(try await heard.packets().count > 25)
        }
    }

    /// Sent on one machine, received on another by its description: two network namespaces with a wire between them.
    @Test(.enabled(if: geteuid() == 0, "takes root, to make network namespaces"))
    func multicastBetweenTwoMachines() async throws {
        let scratch = try Scratch()
        let tag = "ipn\(getpid() % 10_000)"
        let (here, there) = ("\(tag)a", "\(tag)b")
        func ip(_ words: String) async throws {
            let command = try Program(["ip"] + words.split(separator: " ").map(String.init), in: scratch)
            try await command.succeeded()
        }
        try await ip("netns add \(here)")
        try await ip("netns add \(there)")
        defer { for name in [here, there] { _ = try? Program(["ip", "netns", "delete", name], in: scratch) } }
        try await ip("-n \(here) link add \(tag)v type veth peer name \(tag)w netns \(there)")
        for (name, device, address) in [(here, "\(tag)v", "10.99.0.1/24"), (there, "\(tag)w", "10.99.0.2/24")] {
            try await ip("-n \(name) address add \(address) dev \(device)")
            try await ip("-n \(name) link set lo up")
            try await ip("-n \(name) link set \(device) up")
            try await ip("-n \(name) route add 239.0.0.0/8 dev \(device)")
        }
        func on(_ name: String, _ words: String...) throws -> Program { try Program(["ip", "netns", "exec", name] + words, in: scratch) }

        let publisher = try on(here, Scratch.executable, "publish", "test:", "net")
        try await until("the network is there") { try await scratch.show("net")?.writers == 1 }
        let stream = try on(
            here, Scratch.executable, "stream", "net", "rtp://239.1.2.3:5004?ttl=2", "--sdp", scratch.file("cam.sdp"))
        try await until("the session is described \(stream.complaint)") { scratch.has("cam.sdp") }
        let description = try String(contentsOfFile: scratch.file("cam.sdp"), encoding: .utf8)
        for text in ["c=IN IP4 239.1.2.3/2", "m=video 5004 RTP/AVP", "H264/90000", "sprop-parameter-sets=", "m=audio 5006 RTP/AVP"] {
            #expect(description.contains(text), "\(description)")
        }
        func listen(_ name: String) async throws -> Program {
            let listener = try on(
                there, "ffmpeg", "-v", "error", "-y", "-protocol_whitelist", "file,udp,rtp", "-i", scratch.file("cam.sdp"), "-map", "0", "-c",
                "copy", "-flush_packets", "1", scratch.file(name))
            try await until("enough has been heard: \(listener.complaint)") {
                ((try? await Recording(name, in: scratch).packets()) ?? []).count > 60
            }
            return listener
        }
        // Who is killed amid the stream hears it again as soon as it is back.
        try await Servers.crash(try await listen("first.ts"))
        let listener = try await listen("heard.ts")
        let heard = Recording("heard.ts", in: scratch)
        publisher.send(SIGINT, toGroup: true)
        try await publisher.succeeded()
        try await stream.succeeded()
        #expect(stream.complaint == "")
        listener.send(SIGINT, toGroup: true)
        _ = try await listener.ended()
        #expect(try await heard.codecs().sorted() == ["aac", "h264"])
        try await scratch.expectNothingLeft()
    }

    /// MP4 fragments with their playlist, as ffmpeg plays them: HLS, and DASH as it is and with low latency.
    @Test(arguments: [["x/live.m3u8", "--low-latency"], ["x/live.mpd"], ["x/live.mpd", "--low-latency"]])
    func fragments(words: [String]) async throws {
        try await withLiveNetwork { scratch in
            let stream = try Program([Scratch.executable, "stream", "net"] + words, in: scratch)
            func names() -> [String] { (try? FileManager.default.contentsOfDirectory(atPath: scratch.file("x"))) ?? [] }
            try await until("fragments are there \(stream.complaint)") {
                names().count { $0.hasSuffix(".m4s") } >= 4 && scratch.has(words[0])
            }
            stream.send(SIGINT)
            try await stream.succeeded()
            #expect(stream.complaint == "")
            let live = Recording(words[0], in: scratch)
            #expect(try await live.codecs().sorted() == ["aac", "h264"])
            #expect(try await live.packets().count > 25)
            if words[0].hasSuffix("m3u8") {
                let playlist = try String(contentsOfFile: scratch.file(words[0]), encoding: .utf8)
                #expect(playlist.contains("#EXT-X-MAP:URI=\"init.mp4\"") && playlist.contains(".m4s"), "\(playlist)")
            }
        }
    }

    @Test func whatCannotBeDescribedIsRefused() async throws {
        try await withLiveNetwork { scratch in
            let stream = try scratch.ipn("stream", "net", "udp://127.0.0.1:5004", "--sdp", "x.sdp")
            #expect(try await stream.ended().status == 1)
            #expect(stream.complaint.contains("rtp://239.1.2.3:5004"), "\(stream.complaint)")
            let nowhere = try scratch.ipn("stream", "net", "rtp://127.0.0.1:5004", "--sdp", "nowhere/x.sdp", "--no-reconnect")
            #expect(try await nowhere.ended().status == 1)
            #expect(nowhere.complaint.contains("nowhere/x.sdp: cannot be written (No such file"), "\(nowhere.complaint)")
        }
    }
}
