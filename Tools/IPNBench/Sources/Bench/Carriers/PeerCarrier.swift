import CBench
import Glibc

/// A peer as peer.h has it, from its shared object.
final class LoadedPeer {
    let table: UnsafePointer<peer>

    /// - Parameter name: of the file, in the folder that IPN_BENCH_PEERS names.
    init(_ name: String) throws {
        guard let folder = getenv("IPN_BENCH_PEERS") else { throw Failure("IPN_BENCH_PEERS names no folder: run Tools/bench") }
        // Never unloaded: some start threads of their own. All its names are visible to what it loads, as Python needs it.
        guard let library = dlopen("\(String(cString: folder))/\(name).so", RTLD_NOW | RTLD_GLOBAL), let symbol = dlsym(library, "peer")
        else { throw Failure(String(cString: dlerror()!)) }
        table = UnsafePointer(symbol.assumingMemoryBound(to: peer.self))
    }

    /// Has its libraries ready.
    func prepare() throws {
        if let prepare = table.pointee.prepare, prepare() != 0 { throw failure }
    }

    var failure: Failure { Failure(String(cString: table.pointee.failure()!)) }

    /// A setting for one end of a run; it is to be used while `body` runs.
    func withSetting<Result>(_ task: Task, _ body: (UnsafePointer<peer_setting>) -> Result) -> Result {
        task.path.withCString { path in
            var setting = peer_setting(
                path: path, size: task.size, readers: Int32(task.readers), index: task.side == .writer ? -1 : Int32(task.index),
                spins: task.spins ? 1 : 0)
            return body(&setting)
        }
    }
}

final class PeerSender: Sender {
    private let peer: LoadedPeer
    private let table: CBench.peer
    private let end: UnsafeMutableRawPointer
    private let board: Board
    private let readers: Int
    /// Messages that may be on their way; 0 where the peer itself holds its writer up.
    private let window: UInt64
    private var sent: UInt64 = 0
    private var taken: UInt64 = 0
    /// What each reader had taken when credits began; empty before.
    private var atStart: [UInt64] = []

    init(_ name: String, _ task: Task, _ board: Board) throws {
        let peer = try LoadedPeer(name)
        try peer.prepare()
        guard let end = peer.withSetting(task, { peer.table.pointee.open_writer($0) }) else { throw peer.failure }
        self.peer = peer
        self.end = end
        self.board = board
        table = peer.table.pointee
        readers = task.readers
        window = table.window.map { UInt64($0(task.size)) } ?? 0
    }

    @inline(__always)
    func send(_ count: Int, _ fill: (UnsafeMutableRawPointer) -> Void) throws {
        if window > 0 && !atStart.isEmpty { awaitCredit() }
        guard let place = table.lend(end) else { throw peer.failure }
        fill(place)
        guard table.send(end) == 0 else { throw peer.failure }
    }

    private func awaitCredit() {
        while sent >= taken + window {
            taken = (0..<readers).map { board.taken($0).value - atStart[$0] }.min() ?? 0
            if sent >= taken + window { sched_yield() }
        }
        sent += 1
    }

    /// Credits count from here: of what was sent before, all has been taken that ever will be.
    func beginCredits() { atStart = (0..<readers).map { board.taken($0).value } }
}

final class PeerReceiver: Receiver {
    private let peer: LoadedPeer
    private let table: CBench.peer
    private let end: UnsafeMutableRawPointer
    private let taken: Board.Word?

    init(_ name: String, _ task: Task, _ board: Board) throws {
        let peer = try LoadedPeer(name)
        try peer.prepare()
        guard let end = peer.withSetting(task, { peer.table.pointee.open_reader($0) }) else { throw peer.failure }
        self.peer = peer
        self.end = end
        table = peer.table.pointee
        taken = table.window == nil ? nil : board.taken(task.index)
    }

    func close() { table.close_reader?(end) }

    @inline(__always)
    func receive(while body: (UnsafeRawPointer) -> Bool) throws {
        let status = withoutActuallyEscaping(body) { body in
            var context = Context(body: body, taken: taken)
            return withUnsafeMutablePointer(to: &context) { context in
                table.receive(
                    end,
                    { context, bytes in
                        let context = context!.assumingMemoryBound(to: Context.self)
                        let wantsMore = context.pointee.body(bytes!)
                        context.pointee.taken?.advance()
                        return wantsMore ? 1 : 0
                    }, context)
            }
        }
        guard status == 0 else { throw peer.failure }
    }

    private struct Context {
        let body: (UnsafeRawPointer) -> Bool
        let taken: Board.Word?
    }
}
