import CIPN
import IPNControl
import IPNRing
import SystemPackage

/// What a policy tells a node out of band. The keeper counts it in a word of its own, and keeps it until it is fetched.
struct PolicyNews: ~Copyable {
    /// How much there was for us so far; nil where no policy is.
    private var word: SharedWord?
    private var told: UInt64 = 0
    /// What was fetched last is to be told again.
    private var isKept = false
    /// The one that was fetched last. At an address of its own: it is lent to the program.
    private let item: UnsafeMutablePointer<ipn_news_item>

    init() {
        item = .allocate(capacity: 1)
        item.initialize(to: ipn_news_item())
    }

    deinit { item.deallocate() }

    mutating func listen(to word: SharedWord) { self.word = word }

    @inline(__always)
    var isThere: Bool { word.map { isKept || $0.loadAcquiring() != told } ?? false }

    /// How much there was for us so far, told or not.
    var count: UInt64 { word?.loadAcquiring() ?? 0 }

    /// Fetches the next.
    /// - Returns: false where there is none any more.
    // Rare, and large: inlined, it would be in the way of every message.
    @inline(never)
    mutating func fetch(from membership: Membership) -> Bool {
        if isKept {
            isKept = false
            return true
        }
        do throws(Errno) {
            let (head, items) = try membership.exchange(ipn_request(IPN_OP_NEWS), ipn_news_item.self)
            told = head.value
            guard let news = items.first else { return false }
            item.pointee = news
            return true
        } catch {
            // Without a keeper nothing more comes.
            told = word?.loadAcquiring() ?? told
            return false
        }
    }

    /// Leaves what was fetched last where it was.
    mutating func putBack() { isKept = true }

    /// What was fetched last, good until the next.
    var message: ArrivedMessage {
        let bytes = UnsafeRawPointer(item).advanced(by: MemoryLayout<ipn_news_item>.offset(of: \.bytes)!)
        return ArrivedMessage(
            level: item.pointee.level, tag: item.pointee.tag, bytes,
            count: Int(min(item.pointee.length, UInt32(IPN_POLICY_BYTES))))
    }
}
