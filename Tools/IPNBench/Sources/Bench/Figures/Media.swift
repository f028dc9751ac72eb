import Glibc
import IPN

/// The media path, as its users have it: whole processes of `ipn`.
extension Figures {
    func media() throws {
        try pictureAtOnce()
        try waitUntilGone()
        try rawToMany()
    }

    /// From connect to the first packet that can be decoded, where key frames are ten seconds apart.
    private func pictureAtOnce() throws {
        let publisher = try ToolProcess("publish", "test:size=640x360,rate=30,gop=300", path)
        try waitUntil(sent: 0)
        let first = try consumer()
        defer { withExtendedLifetime((publisher, first)) {} }
        // In the middle of a group: some seconds have been sent, and are kept.
        try waitUntil(sent: 300)
        let times = try (0..<(isQuick ? 10 : 40)).map { _ in
            UInt64(try ToolProcess("record", path, "\(path).null", "--format", "null", "--overwrite", "--duration", "0.05").last()[6])
        }
        print(
            Row(
                figure: "A joiner's first decodable packet, key frames 10 s apart, ms p50 / p99",
                ours: "\((Double(times.median) / 1e6).short) / \((Double(times.percentile(0.99)) / 1e6).short)", goal: "≤ 5"
            ).line)
    }

    /// The producer's processor time, to one consumer and to four.
    private func rawToMany() throws {
        let used = try [1, 4].map { count in
            let share = try producerShare(to: count)
            try waitUntilGone()
            return share
        }
        print(
            Row(
                figure: "Producer of 1080p60 4:2:0 (187 MB/s), processors used, to 1 / to 4 consumers in place",
                ours: "\(used[0].short) / \(used[1].short)", goal: "the same"
            ).line)
    }

    private func producerShare(to count: Int) throws -> Double {
        let seconds = isQuick ? 2.0 : 6.0
        let publisher = try ToolProcess("publish", "test:size=1920x1080,rate=60,codec=rawvideo,audio=none", path)
        try waitUntil(sent: 0)
        let consumers = try (0..<count).map { _ in try consumer() }
        defer { withExtendedLifetime((publisher, consumers)) {} }
        try waitUntil(sent: 60)
        let before = try processorSeconds(of: publisher.process)
        usleep(UInt32(seconds * 1e6))
        return try (processorSeconds(of: publisher.process) - before) / seconds
    }

    private func consumer() throws -> ToolProcess {
        try ToolProcess("record", path, "\(path).null", "--format", "null", "--overwrite")
    }

    /// The next publisher makes a network of its own.
    private func waitUntilGone() throws {
        while (try? NetworkStatus(of: path)) != nil { usleep(1000) }
    }

    /// - Parameter messages: 0 until the network is there.
    private func waitUntil(sent messages: UInt64) throws {
        for _ in 0..<60_000 {
            if let status = try? NetworkStatus(of: path), status.nodes.reduce(0, { $0 + $1.sent }) >= messages { return }
            usleep(1000)
        }
        throw Failure("the test signal does not come")
    }
}
