@preconcurrency import Glibc  // stdout is a variable

/// Writes what print(_:) has gathered, also what it could not get rid of before.
///
/// Every command ends with this; those that go on for long also call it where a piece is complete.
/// - Throws: what standard output, closed or full, has to say.
func flushPrinted() throws(Failure) {
    errno = 0
    guard fflush(stdout) != 0 || ferror(stdout) != 0 else { return }
    // Of an earlier failure only that it was is left.
    throw Failure("standard output: \(errno != 0 ? String(cString: strerror(errno)) : "not all of it could be written")")
}
