import CIPN
import Testing
import TestSupport

/// Many at once.
@Suite(.serialized) struct CrowdTests {
    let scratch: Scratch
    let path: String

    init() throws {
        scratch = try Scratch()
        path = scratch("net")
    }

    @Test(arguments: Way.allCases) func twoHundredNodesInOneProcess(way: Way) throws {
        let party = try Party(way)
        try party.makes(0, path, [IPN_SO_NUMNODES: 1000])
        try party.does("many 1 199 \(path)")
        try party.does("send 0 - to all")
        for slot in 1..<200 { #expect(try party("recv \(slot) - 10") == "ok 6 to all") }
        try party.does("send 199 - back")
        for slot in 0..<199 { #expect(try party("recv \(slot) - 10") == "ok 4 back") }
        #expect(try party("get 199 0 \(IPN_SO_PORT) 4") == "ok 199")
    }

    /// As many of each way, on one network.
    @Test func fiveHundredProcesses() throws {
        let founder = try Party(.swift)
        try founder.makes(0, path, [IPN_SO_NUMNODES: 1000])
        var parties: [Party] = []
        for index in 0..<510 {
            let party = try Party(Way.allCases[index % Way.allCases.count])
            try party.joins(0, path)
            parties.append(party)
        }
        try founder.does("send 0 - to all")
        for party in parties { try party.tell("recv 0 - 10") }
        for party in parties { #expect(try party.answer() == "ok 6 to all") }
        for sender in parties.suffix(3) {
            try sender.does("send 0 - back")
            #expect(try founder("recv 0 - 10") == "ok 4 back")
            for receiver in parties[250..<253] { #expect(try receiver("recv 0 - 10") == "ok 4 back") }
        }
    }

    @Test(arguments: Way.allCases) func manyWritersAndManyReaders(way: Way) throws {
        let founder = try Party(way)
        try founder.makes(0, path, [IPN_SO_FLAGS: Int(IPN_FLAG_LOSSLESS), IPN_SO_MSGPOOLSIZE: 16])
        try founder.does("shutdown 0 0")
        var (writers, readers): ([Party], [Party]) = ([], [])
        for _ in 0..<6 {
            let (writer, reader) = (try Party(way), try Party(way))
            try writer.does("socket 0 34 3 1")
            try writer.does("shutdown 0 0")
            try writer.does("connect 0 \(path)")
            try reader.joins(0, path)
            writers.append(writer)
            readers.append(reader)
        }
        for reader in readers { try reader.tell("gather 0 \(6 * 2000)") }
        for (id, writer) in writers.enumerated() { try writer.tell("stream 0 2000 \(id)") }
        for writer in writers { #expect(try writer.answer() == "ok 2000") }
        for reader in readers { #expect(try reader.answer() == "ok 12000 from 6", "all of it, each once, in each sender's order") }
    }
}
