/* libavformat, libavcodec and friends for Swift, with what the importer cannot bring over.
 * Every shim says why it is here; nothing else belongs in this file. */
#ifndef CLIBAV_SHIM_H
#define CLIBAV_SHIM_H

#include <errno.h>
#include <libavcodec/avcodec.h>
#include <libavcodec/bsf.h>
#include <libavcodec/codec_desc.h>
#include <libavformat/avformat.h>
#include <libavutil/audio_fifo.h>
#include <libavutil/channel_layout.h>
#include <libavutil/imgutils.h>
#include <libavutil/log.h>
#include <libavutil/mathematics.h>
#include <libavutil/opt.h>
#include <libavutil/parseutils.h>
#include <libavutil/pixdesc.h>
#include <libswresample/swresample.h>
#include <libswscale/swscale.h>

/* Function-like macros (AVERROR, FFERRTAG) do not import, nor do the constants made of them. */
static inline int clibav_errno_of_error(int code) { return AVUNERROR(code); }
static inline int clibav_error_eof(void) { return AVERROR_EOF; }
static inline int clibav_error_exit(void) { return AVERROR_EXIT; }
static inline int clibav_error_again(void) { return AVERROR(EAGAIN); }
static inline int clibav_error_invalid_data(void) { return AVERROR_INVALIDDATA; }
static inline int clibav_error_protocol_not_found(void) { return AVERROR_PROTOCOL_NOT_FOUND; }
static inline int clibav_error_option_not_found(void) { return AVERROR_OPTION_NOT_FOUND; }
static inline int clibav_error_http_unauthorized(void) { return AVERROR_HTTP_UNAUTHORIZED; }
static inline int clibav_error_http_forbidden(void) { return AVERROR_HTTP_FORBIDDEN; }
static inline int clibav_error_http_not_found(void) { return AVERROR_HTTP_NOT_FOUND; }

/* A cast inside a macro. */
static inline int64_t clibav_no_pts(void) { return AV_NOPTS_VALUE; }

/* Defined by expressions of enum constants or shifts with casts, which import unevenly between versions. */
static inline int clibav_format_no_file(void) { return AVFMT_NOFILE; }
static inline int clibav_codec_global_header(void) { return AV_CODEC_FLAG_GLOBAL_HEADER; }

/* AV_CHANNEL_LAYOUT_* are compound literals. */
static inline void clibav_layout_stereo(AVChannelLayout *layout) { *layout = (AVChannelLayout)AV_CHANNEL_LAYOUT_STEREO; }

/* Macros whose names moved between versions (FF_PROFILE_UNKNOWN became AV_PROFILE_UNKNOWN), or that are
 * expressions. */
static inline int clibav_unknown_profile(void) { return -99; }
static inline int clibav_disposition_attached_picture(void) { return AV_DISPOSITION_ATTACHED_PIC; }

/* AVOutputFormat.codec_tag is an array of a struct that is opaque to users: its type does not import. True if the container has an opinion and `tag` is not it. */
static inline int clibav_tag_is_foreign(const AVOutputFormat *format, enum AVCodecID id, uint32_t tag) {
    unsigned int own = 0;
    if (!format->codec_tag) return 0;
    if (av_codec_get_id(format->codec_tag, tag) == id) return 0;
    return av_codec_get_tag2(format->codec_tag, id, &own) != 0;
}

/* avio_close_dyn_buf hands over a buffer that av_free has to take, which in Swift is three casts. */
static inline void clibav_discard_dyn_buf(AVIOContext *context) {
    uint8_t *bytes = NULL;
    if (!context) return;
    avio_close_dyn_buf(context, &bytes);
    av_free(bytes);
}

/* The callback's bytes are const from libavformat 61 on. */
typedef int (*clibav_output)(void *opaque, const uint8_t *bytes, int count);
static inline AVIOContext *clibav_alloc_output(void *buffer, int size, void *opaque, clibav_output write) {
#if LIBAVFORMAT_VERSION_MAJOR < 61
    return avio_alloc_context(buffer, size, 1, opaque, NULL, (int (*)(void *, uint8_t *, int))write, NULL);
#else
    return avio_alloc_context(buffer, size, 1, opaque, NULL, write, NULL);
#endif
}

/* libavformat may have put another buffer into it, which av_freep takes through a void pointer. */
static inline void clibav_free_io(AVIOContext *context) {
    avio_flush(context);
    av_freep(&context->buffer);
    avio_context_free(&context);
}

#endif
