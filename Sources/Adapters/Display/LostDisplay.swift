import Glibc

/// Xlib ends the process where its server goes away, with lines of its own; nothing that returns from its handler goes on. So the
/// handler says it in one line of ours.
enum LostDisplay {
    private typealias Handler = @convention(c) (OpaquePointer?) -> CInt
    private typealias Setter = @convention(c) (Handler?) -> OpaquePointer?

    /// Once a window is open: SDL has loaded the library then, which we do not link; on Wayland it has not.
    static func watch() {
        guard let library = dlopen("libX11.so.6", RTLD_LAZY | RTLD_NOLOAD), let symbol = dlsym(library, "XSetIOErrorHandler") else { return }
        _ = unsafeBitCast(symbol, to: Setter.self)({ _ in
            let line: StaticString = "ipn: the display has gone: its server has ended\n"
            write(STDERR_FILENO, line.utf8Start, line.utf8CodeUnitCount)
            _exit(1)
        })
    }
}
