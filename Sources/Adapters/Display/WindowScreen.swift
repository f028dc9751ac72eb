import CLibAV
import CSDL
import Glibc
import LibAVBase
import Media

/// A window. To be used by one thread, the process's first where the system insists.
final class WindowScreen: Screen {
    private let title: String
    private let window: OpaquePointer
    private let renderer: OpaquePointer
    private var texture: OpaquePointer?
    private var textureSize: (Int32, Int32) = (0, 0)
    private var scaler: Scaler
    private var isFullscreen = false
    let shortestInterval: Int64 = 0

    /// - Throws: `.noDisplay`.
    init(title: String, width: Int32, height: Int32) throws(MediaError) {
        self.title = title
        scaler = try Scaler(to: AV_PIX_FMT_YUV420P)
        // Ctrl-C is the program's.
        SDL_SetHint(SDL_HINT_NO_SIGNAL_HANDLERS, "1")
        guard SDL_InitSubSystem(SDL_INIT_VIDEO) == 0 else { throw Self.failure("no window can be opened") }
        let place = csdl_window_centered()
        let flags = SDL_WINDOW_RESIZABLE.rawValue | SDL_WINDOW_ALLOW_HIGHDPI.rawValue
        LostDisplay.watch()
        guard let window = SDL_CreateWindow(title, place, place, max(64, min(width, 1280)), max(64, min(height, 720)), flags) else {
            SDL_QuitSubSystem(SDL_INIT_VIDEO)
            throw Self.failure("no window can be opened")
        }
        guard let renderer = SDL_CreateRenderer(window, -1, 0) else {
            SDL_DestroyWindow(window)
            SDL_QuitSubSystem(SDL_INIT_VIDEO)
            throw Self.failure("nothing can be drawn")
        }
        self.window = window
        self.renderer = renderer
    }

    deinit {
        if let texture { SDL_DestroyTexture(texture) }
        SDL_DestroyRenderer(renderer)
        SDL_DestroyWindow(window)
        SDL_QuitSubSystem(SDL_INIT_VIDEO)
    }

    func show(_ picture: UnsafeMutablePointer<AVFrame>, aspect: Double) throws(MediaError) {
        var picture = picture
        if picture.pointee.format != AV_PIX_FMT_YUV420P.rawValue && picture.pointee.format != AV_PIX_FMT_YUVJ420P.rawValue {
            guard let converted = scaler.scale(picture, width: picture.pointee.width, height: picture.pointee.height) else { return }
            picture = converted
        }
        let size = (picture.pointee.width, picture.pointee.height)
        setColors(of: picture)
        if texture == nil || textureSize != size {
            if let texture { SDL_DestroyTexture(texture) }
            texture = SDL_CreateTexture(
                renderer, UInt32(SDL_PIXELFORMAT_IYUV.rawValue), Int32(SDL_TEXTUREACCESS_STREAMING.rawValue), size.0, size.1)
            guard texture != nil else { throw Self.failure("no picture of \(size.0)x\(size.1) can be drawn") }
            textureSize = size
            // The renderer keeps this aspect in a window of any other.
            SDL_RenderSetLogicalSize(renderer, Int32((Double(size.1) * aspect).rounded()), size.1)
        }
        let data = picture.pointee.data
        let stride = picture.pointee.linesize
        SDL_UpdateYUVTexture(texture, nil, data.0, stride.0, data.1, stride.1, data.2, stride.2)
        draw()
    }

    private func draw() {
        SDL_RenderClear(renderer)
        if let texture { SDL_RenderCopy(renderer, texture, nil, nil) }
        SDL_RenderPresent(renderer)
    }

    private func setColors(of picture: UnsafeMutablePointer<AVFrame>) {
        let mode: SDL_YUV_CONVERSION_MODE =
            if picture.pointee.color_range == AVCOL_RANGE_JPEG { SDL_YUV_CONVERSION_JPEG } else if picture.pointee.colorspace == AVCOL_SPC_BT709 {
                SDL_YUV_CONVERSION_BT709
            } else { SDL_YUV_CONVERSION_AUTOMATIC }
        SDL_SetYUVConversionMode(mode)
    }

    func keys() -> [PlayerKey] {
        var keys: [PlayerKey] = []
        var event = SDL_Event()
        while SDL_PollEvent(&event) != 0 {
            switch event.type {
            case SDL_QUIT.rawValue: keys.append(.leave)
            case SDL_KEYDOWN.rawValue:
                if let key = Self.key(event.key.keysym.sym) { keys.append(key) }
            // The picture stays until the next one: also while paused.
            case SDL_WINDOWEVENT.rawValue where event.window.event == UInt8(SDL_WINDOWEVENT_EXPOSED.rawValue): draw()
            default: break
            }
        }
        return keys
    }

    private static func key(_ symbol: SDL_Keycode) -> PlayerKey? {
        switch symbol {
        case Int32(SDLK_ESCAPE.rawValue): .leave
        case Int32(SDLK_UP.rawValue), Int32(SDLK_RIGHT.rawValue): .louder
        case Int32(SDLK_DOWN.rawValue), Int32(SDLK_LEFT.rawValue): .quieter
        // SDL's numbers of the others are their characters.
        default: UInt8(exactly: symbol).flatMap { PlayerKey($0) }
        }
    }

    func toggleFullScreen() {
        isFullscreen.toggle()
        SDL_SetWindowFullscreen(window, isFullscreen ? SDL_WINDOW_FULLSCREEN_DESKTOP.rawValue : 0)
    }

    /// In the window's title.
    func say(_ line: String) -> Bool {
        SDL_SetWindowTitle(window, "\(title) – \(line)")
        return true
    }

    func close(summary: String) {}

    private static func failure(_ what: String) -> MediaError {
        MediaError(
            .noDisplay, what: what, remedy: "set DISPLAY or WAYLAND_DISPLAY, or play in the terminal",
            cause: "SDL: \(String(cString: SDL_GetError()))")
    }
}
