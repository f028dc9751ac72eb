import CLinux

/// Has the kernel end this process (SIGTERM) when the one that started it dies. See PR_SET_PDEATHSIG in prctl(2).
package func endWithParent() {
    linux_end_with_parent()
}
