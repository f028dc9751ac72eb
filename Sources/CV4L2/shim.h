/* Video4Linux for Swift: <linux/videodev2.h>, and what the importer cannot bring over. Headers only: it is an interface of the
 * kernel, and no library stands between. Every shim says why it is here. */
#ifndef CV4L2_SHIM_H
#define CV4L2_SHIM_H

#include <errno.h>
#include <fcntl.h>
#include <linux/videodev2.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>

/* ioctl(2) is variadic, and errno a macro. 0, or an errno; EINTR is tried again. */
static inline int cv4l2_call(int descriptor, unsigned long request, void *argument) {
    while (ioctl(descriptor, request, argument) < 0)
        if (errno != EINTR) return errno;
    return 0;
}

/* open(2) is variadic. A descriptor, or an errno below zero. */
static inline int cv4l2_open(const char *path) {
    int descriptor = open(path, O_RDWR | O_NONBLOCK | O_CLOEXEC);
    return descriptor < 0 ? -errno : descriptor;
}

/* MAP_FAILED is a cast inside a macro. NULL with errno in *error. */
static inline void *cv4l2_map(int descriptor, size_t length, unsigned offset, int *error) {
    void *base = mmap(NULL, length, PROT_READ, MAP_SHARED, descriptor, offset);
    *error = base == MAP_FAILED ? errno : 0;
    return base == MAP_FAILED ? NULL : base;
}

/* Request numbers are macros that call macros. */
static inline unsigned long cv4l2_querycap(void) { return VIDIOC_QUERYCAP; }
static inline unsigned long cv4l2_enum_fmt(void) { return VIDIOC_ENUM_FMT; }
static inline unsigned long cv4l2_enum_framesizes(void) { return VIDIOC_ENUM_FRAMESIZES; }
static inline unsigned long cv4l2_enum_frameintervals(void) { return VIDIOC_ENUM_FRAMEINTERVALS; }
static inline unsigned long cv4l2_g_fmt(void) { return VIDIOC_G_FMT; }
static inline unsigned long cv4l2_s_fmt(void) { return VIDIOC_S_FMT; }
static inline unsigned long cv4l2_s_parm(void) { return VIDIOC_S_PARM; }
static inline unsigned long cv4l2_g_parm(void) { return VIDIOC_G_PARM; }
static inline unsigned long cv4l2_reqbufs(void) { return VIDIOC_REQBUFS; }
static inline unsigned long cv4l2_querybuf(void) { return VIDIOC_QUERYBUF; }
static inline unsigned long cv4l2_qbuf(void) { return VIDIOC_QBUF; }
static inline unsigned long cv4l2_dqbuf(void) { return VIDIOC_DQBUF; }
static inline unsigned long cv4l2_streamon(void) { return VIDIOC_STREAMON; }
static inline unsigned long cv4l2_streamoff(void) { return VIDIOC_STREAMOFF; }
static inline unsigned long cv4l2_query_ext_ctrl(void) { return VIDIOC_QUERY_EXT_CTRL; }
static inline unsigned long cv4l2_querymenu(void) { return VIDIOC_QUERYMENU; }
static inline unsigned long cv4l2_g_ext_ctrls(void) { return VIDIOC_G_EXT_CTRLS; }
static inline unsigned long cv4l2_s_ext_ctrls(void) { return VIDIOC_S_EXT_CTRLS; }

/* A function-like macro. */
static inline unsigned cv4l2_fourcc(const char *text) { return v4l2_fourcc(text[0], text[1], text[2], text[3]); }

/* Bits with a type that Swift would have to convert each time, or with a shift into the sign. */
static inline unsigned cv4l2_next_control(void) { return V4L2_CTRL_FLAG_NEXT_CTRL; }
static inline unsigned cv4l2_capability_of_device(void) { return V4L2_CAP_DEVICE_CAPS; }
static inline unsigned cv4l2_force_key_frame(void) { return V4L2_CID_MPEG_VIDEO_FORCE_KEY_FRAME; }

/* What "default" means for a colour space is said by function-like macros. */
static inline unsigned cv4l2_transfer(unsigned space, unsigned transfer) {
    return transfer != V4L2_XFER_FUNC_DEFAULT ? transfer : V4L2_MAP_XFER_FUNC_DEFAULT(space);
}
static inline unsigned cv4l2_encoding(unsigned space, unsigned encoding) {
    return encoding != V4L2_YCBCR_ENC_DEFAULT ? encoding : V4L2_MAP_YCBCR_ENC_DEFAULT(space);
}
static inline unsigned cv4l2_quantization(int is_rgb, unsigned space, unsigned encoding, unsigned quantization) {
    return quantization != V4L2_QUANTIZATION_DEFAULT ? quantization : V4L2_MAP_QUANTIZATION_DEFAULT(is_rgb, space, encoding);
}

/* Packed structs with unions: what the multi-planar interface says of a format, as the other one says it. The stride is the first
 * plane's. */
static inline struct v4l2_pix_format cv4l2_pix(const struct v4l2_format *format) {
    if (!V4L2_TYPE_IS_MULTIPLANAR(format->type)) return format->fmt.pix;
    const struct v4l2_pix_format_mplane *planes = &format->fmt.pix_mp;
    return (struct v4l2_pix_format){.width = planes->width,
                                    .height = planes->height,
                                    .pixelformat = planes->pixelformat,
                                    .field = planes->field,
                                    .bytesperline = planes->plane_fmt[0].bytesperline,
                                    .colorspace = planes->colorspace,
                                    .ycbcr_enc = planes->ycbcr_enc,
                                    .quantization = planes->quantization,
                                    .xfer_func = planes->xfer_func};
}
/* Pieces of memory that a picture lies in, and the stride in one of them. */
static inline unsigned cv4l2_pieces(const struct v4l2_format *format) {
    return V4L2_TYPE_IS_MULTIPLANAR(format->type) ? format->fmt.pix_mp.num_planes : 1;
}
static inline unsigned cv4l2_stride(const struct v4l2_format *format, unsigned piece) {
    return V4L2_TYPE_IS_MULTIPLANAR(format->type) ? format->fmt.pix_mp.plane_fmt[piece].bytesperline : format->fmt.pix.bytesperline;
}
/* What to ask for; the colours are the driver's. */
static inline struct v4l2_format cv4l2_wish(unsigned type, unsigned fourcc, unsigned width, unsigned height) {
    struct v4l2_format format = {.type = type};
    if (V4L2_TYPE_IS_MULTIPLANAR(type)) {
        format.fmt.pix_mp.pixelformat = fourcc;
        format.fmt.pix_mp.width = width;
        format.fmt.pix_mp.height = height;
        format.fmt.pix_mp.field = V4L2_FIELD_ANY;
    } else {
        format.fmt.pix.pixelformat = fourcc;
        format.fmt.pix.width = width;
        format.fmt.pix.height = height;
        format.fmt.pix.field = V4L2_FIELD_ANY;
    }
    return format;
}

/* A union in a packed struct. */
static inline int cv4l2_get_control(int descriptor, unsigned id, long long *value, int is_64) {
    struct v4l2_ext_control control = {.id = id};
    struct v4l2_ext_controls set = {.which = V4L2_CTRL_WHICH_CUR_VAL, .count = 1, .controls = &control};
    int error = cv4l2_call(descriptor, VIDIOC_G_EXT_CTRLS, &set);
    *value = is_64 ? control.value64 : control.value;
    return error;
}
static inline int cv4l2_set_control(int descriptor, unsigned id, long long value, int is_64) {
    struct v4l2_ext_control control = {.id = id};
    struct v4l2_ext_controls set = {.which = V4L2_CTRL_WHICH_CUR_VAL, .count = 1, .controls = &control};
    if (is_64)
        control.value64 = value;
    else
        control.value = (int)value;
    return cv4l2_call(descriptor, VIDIOC_S_EXT_CTRLS, &set);
}
/* An anonymous union in a packed struct. 0, or an errno: a menu may have gaps. */
static inline int cv4l2_menu_item(int descriptor, unsigned id, unsigned index, int is_integer, char *name, size_t room, long long *value) {
    struct v4l2_querymenu item = {.id = id, .index = index};
    int error = cv4l2_call(descriptor, VIDIOC_QUERYMENU, &item);
    if (error) return error;
    if (is_integer)
        *value = item.value;
    else
        strncpy(name, (const char *)item.name, room - 1);
    return 0;
}

#endif
