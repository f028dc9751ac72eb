import CLibAV
import Glibc
import Media

/// Neither a display nor a terminal: pictures are decoded and counted, and one line at the end says how many.
final class NoScreen: Screen {
    let shortestInterval: Int64 = 0
    private let keyboard = Keyboard()

    func show(_ picture: UnsafeMutablePointer<AVFrame>, aspect: Double) throws(MediaError) {}
    func keys() -> [PlayerKey] { keyboard?.keys() ?? [] }
    func toggleFullScreen() {}
    func say(_ line: String) -> Bool { false }

    func close(summary: String) {
        print(summary)
        fflush(nil)
    }
}
