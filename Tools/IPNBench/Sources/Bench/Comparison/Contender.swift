import CBench
import Glibc

/// Who takes part in the comparison, and what is said of it.
struct Contender {
    let carrier: Carrier
    let name: String
    let release: String
    let settings: String
    /// Bytes of the longest message; 0 where only memory sets a limit.
    var longest = 0
    var spins = true

    /// What the machine allows; no product, so never the best.
    var isFloor: Bool { carrier == .peer("ring") }

    /// One that is not measured, and why.
    struct Absent {
        let name: String
        let reason: String
    }

    static let peers = ["ring", "seqpacket", "multicast", "zeromq", "nng", "gstreamer", "iceoryx", "iceoryx2", "ecal"]

    /// IPN and all peers that Peers/build could make.
    static func all() -> (present: [Contender], absent: [Absent]) {
        var present = [
            Contender(
                carrier: .ipn, name: "IPN", release: "0.1",
                settings: "from Swift, read in place; latency as networks are by default (LOSSY); counted messages LOSSLESS, a pool of up to 4 MiB")
        ]
        var absent: [Absent] = []
        let folder = getenv("IPN_BENCH_PEERS").map { String(cString: $0) } ?? ""
        for name in peers {
            do {
                present.append(Contender(name, try LoadedPeer(name).table.pointee))
            } catch {
                let reason = (try? readText("\(folder)/\(name).missing"))?.split(separator: "\n").first.map(String.init)
                absent.append(Absent(name: name, reason: reason ?? "\(error)"))
            }
        }
        return (present, absent)
    }

    private init(_ file: String, _ table: peer) {
        carrier = .peer(file)
        name = String(cString: table.name)
        release = String(cString: table.release)
        settings = String(cString: table.settings)
        longest = table.longest
        spins = table.no_spinning == 0
    }

    private init(carrier: Carrier, name: String, release: String, settings: String) {
        self.carrier = carrier
        self.name = name
        self.release = release
        self.settings = settings
    }

    /// What is sent in place of a message that is a little too long; nil where it is far too long.
    func size(for wanted: Int) -> Int? {
        if longest == 0 || wanted <= longest { return wanted }
        return wanted <= longest + longest / 100 ? longest : nil
    }
}
