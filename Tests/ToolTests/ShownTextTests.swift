import Glibc
import TestSupport
import Testing

@testable import Tool

/// What tables make of strangers' words.
@Suite struct ShownTextTests {
    @Test(arguments: [
        ("ipn record a b ü.mkv", "ipn record a b ü.mkv"), ("👩‍👧 日本", "👩‍👧 日本"), ("\u{1b}[2Jx", "�[2Jx"), ("a\nb\tc\u{7f}", "a�b�c�"),
        ("\u{9b}31m", "�31m"), ("a\u{202e}b\u{2028}", "a�b�"),
    ]) func whatWouldMoveTheCursorIsASign(text: String, result: String) { #expect(shown(text) == result) }

    /// At 80 columns a row of `ipn top` leaves 19 for the description.
    @Test(arguments: [
        ("ipn publish test: h264 640x360, opus", "h264 640x360, opus"), ("ipn publish x: vp8 640x360, aac", "… vp8 640x360, aac"),
        ("ipn publish h264 1920x1080, aac, ac3, subrip", "h264 1920x1080, aac"), ("ipn record short.mkv", "record short.mkv"),
        ("ipn record a.mkv", "ipn record a.mkv"), ("ipn record recordings/2026/november/22.mkv", "…26/november/22.mkv"),
    ]) func codecsAndSizesAreReadable(text: String, result: String) {
        let fitted = TopTable.fitted(text, to: 19)
        #expect(fitted.count <= 19)
        #expect(fitted == result)
    }

    /// A recorder's name goes through a network to a table: one line stays one.
    @Test func aNameIsNoEscape() throws {
        let scratch = try Scratch()
        try Tool.succeed(["create", scratch("net")])
        let recorder = try Tool.start(["record", scratch("net"), scratch("x\u{1b}[31m\ny.mkv")])
        var text = ""
        try eventually("it is there") {
            text = try Tool.run(["show", scratch("net")]).text
            return text.contains("ipn record")
        }
        #expect(!text.contains("\u{1b}") && text.split(separator: "\n").count == 4, "\(text)")
        let top = try Tool.succeed(["top", "--once", "--interval", "0.1", scratch("net")]).text
        #expect(!top.contains("\u{1b}") && top.split(separator: "\n").count == 3, "\(top)")
        recorder.signal(SIGINT)
        _ = try recorder.finish()
        try Tool.succeed(["remove", scratch("net")])
    }
}
