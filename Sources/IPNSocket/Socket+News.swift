import CIPN
import Glibc
package import IPN

/// What comes out of band, as C knows it: an int of level, an int of tag, and what follows of it.
extension ArrivedMessage {
    /// Calls `body` with the bytes that a receive gives: the payload, a `struct numnode_oob`, or level, tag and what a
    /// policy has said.
    package func withWhole<Result>(_ body: (UnsafeRawBufferPointer) -> Result) -> Result {
        guard let outOfBand else { return body(bytes) }
        if let numberOfNodes {
            let news = numnode_oob(
                level: 0, tag: IPN_OOB_NUMNODE_TAG, numreaders: CInt(numberOfNodes.readers), numwriters: CInt(numberOfNodes.writers))
            return withUnsafeBytes(of: news) { body($0) }
        }
        var whole: [UInt8] = []
        withUnsafeBytes(of: CInt(truncatingIfNeeded: outOfBand.level)) { whole += $0 }
        withUnsafeBytes(of: CInt(truncatingIfNeeded: outOfBand.tag)) { whole += $0 }
        whole += bytes
        return whole.withUnsafeBytes { body($0) }
    }
}
