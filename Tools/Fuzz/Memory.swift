import CIPN
import Glibc

/// Zeroed memory between two pages that nobody may touch: a step outside is a crash, not a guess. Reused from input to
/// input.
final class GuardedMemory: @unchecked Sendable {
    // Sendable: libFuzzer runs one input after the other, in one thread.
    let base: UnsafeMutableRawPointer
    let size: Int

    init(_ size: Int) {
        let page = Int(IPN_PAGE)
        let rounded = (size + page - 1) / page * page
        self.size = size
        let mapping = mmap(nil, rounded + 2 * page, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0)!
        base = mapping.advanced(by: page)
        precondition(mprotect(base, rounded, PROT_READ | PROT_WRITE) == 0)
    }

    /// Zeros again, without a page to its name.
    func clear() { _ = madvise(base, size, MADV_DONTNEED) }

    func scribble(_ offset: Int, _ value: UInt64) { base.storeBytes(of: value, toByteOffset: offset, as: UInt64.self) }
    func word(_ offset: Int) -> UInt64 { base.load(fromByteOffset: offset, as: UInt64.self) }

    func contains(_ bytes: UnsafeRawPointer, _ count: Int) -> Bool {
        let start = bytes - UnsafeRawPointer(base)
        return start >= 0 && count >= 0 && start + count <= size
    }
}
