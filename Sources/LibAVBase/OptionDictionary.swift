import CLibAV

/// An AVDictionary of options: what libav did not take is still in it afterwards.
package struct OptionDictionary: ~Copyable {
    package var pointer: OpaquePointer?

    package init(_ options: [(key: String, value: String)]) {
        for (key, value) in options { av_dict_set(&pointer, key, value, 0) }
    }

    deinit {
        var pointer = pointer
        av_dict_free(&pointer)
    }

    /// The keys that nobody took.
    package var unused: [String] {
        var keys: [String] = []
        var entry: UnsafeMutablePointer<AVDictionaryEntry>?
        while let next = av_dict_get(pointer, "", entry, AV_DICT_IGNORE_SUFFIX) {
            keys.append(String(cString: next.pointee.key))
            entry = next
        }
        return keys
    }
}
