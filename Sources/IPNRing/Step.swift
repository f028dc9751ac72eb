/// A place in the code of the bus or its keeper at which a test has a process killed or stopped, by its name: `what: between
/// which two things`.
///
/// Only where `IPN_STEPS` is defined, as in a debug build: elsewhere it is nothing at all, in hot paths too.
@inlinable @inline(__always)
public func step(_ name: StaticString) {
    #if IPN_STEPS
        StepPlan.pass(name)
    #endif
}
