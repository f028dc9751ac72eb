/* userptr DEVICE WIDTH HEIGHT: what a picture costs by mmap with one copy into a slot of shared memory, and by USERPTR with the
 * driver filling the slot itself: processor time of this process for each, in microseconds of the machine's own clock, of which
 * the emulated machine's has one for 500 instructions; it counts each octet that a copy moves as one, so that what a copy costs is
 * to be asked elsewhere: with - for the device there is none, and only the copy is measured. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <linux/videodev2.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

enum { BUFFERS = 4, SLOTS = 32, PICTURES = 150 };

static void check(int result, const char *what) {
    if (result >= 0) return;
    perror(what);
    exit(1);
}

static double used(void) {
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return t.tv_sec * 1e6 + t.tv_nsec / 1e3;
}

/* The slots of a pool are lent in turn, as readers keep some of them. */
static void run(int device, unsigned memory, unsigned size, char *slots, size_t stride) {
    struct v4l2_requestbuffers request = {.count = BUFFERS, .type = V4L2_BUF_TYPE_VIDEO_CAPTURE, .memory = memory};
    check(ioctl(device, VIDIOC_REQBUFS, &request), "REQBUFS");
    void *maps[BUFFERS] = {0};
    unsigned slot = 0;
    for (unsigned index = 0; index < request.count; index++) {
        struct v4l2_buffer buffer = {.index = index, .type = request.type, .memory = memory};
        if (memory == V4L2_MEMORY_MMAP) {
            check(ioctl(device, VIDIOC_QUERYBUF, &buffer), "QUERYBUF");
            maps[index] = mmap(NULL, buffer.length, PROT_READ, MAP_SHARED, device, buffer.m.offset);
        } else {
            buffer.m.userptr = (unsigned long)(slots + stride * slot++);
            buffer.length = stride;
        }
        check(ioctl(device, VIDIOC_QBUF, &buffer), "QBUF");
    }
    int type = V4L2_BUF_TYPE_VIDEO_CAPTURE;
    check(ioctl(device, VIDIOC_STREAMON, &type), "STREAMON");
    double copying = 0, began = 0;
    for (int n = 0; n < PICTURES; n++) {
        if (n == SLOTS * 2) began = used(), copying = 0;
        struct pollfd wait = {.fd = device, .events = POLLIN};
        poll(&wait, 1, -1);
        struct v4l2_buffer buffer = {.type = request.type, .memory = memory};
        check(ioctl(device, VIDIOC_DQBUF, &buffer), "DQBUF");
        if (memory == V4L2_MEMORY_MMAP) {
            double before = used();
            memcpy(slots + stride * (slot++ % SLOTS), maps[buffer.index], size);
            copying += used() - before;
        } else {
            buffer.m.userptr = (unsigned long)(slots + stride * (slot++ % SLOTS));
            buffer.length = stride;
        }
        check(ioctl(device, VIDIOC_QBUF, &buffer), "QBUF");
    }
    int pictures = PICTURES - SLOTS * 2;
    printf("%s: %.1f us a picture", memory == V4L2_MEMORY_MMAP ? "mmap and a copy" : "USERPTR", (used() - began) / pictures);
    if (copying > 0) printf(", %.1f of them the copy", copying / pictures);
    puts("");
    check(ioctl(device, VIDIOC_STREAMOFF, &type), "STREAMOFF");
    for (unsigned index = 0; index < request.count; index++)
        if (maps[index]) munmap(maps[index], size);
    request.count = 0;
    ioctl(device, VIDIOC_REQBUFS, &request);
}

/* From as many buffers as a driver has into as many slots as a pool has, in turn: neither is in the processor's nearest cache. */
static void copy(unsigned size) {
    char *buffers = malloc((size_t)size * BUFFERS), *slots = malloc((size_t)size * SLOTS);
    memset(buffers, 1, (size_t)size * BUFFERS);
    memset(slots, 1, (size_t)size * SLOTS);
    double began = used();
    for (int n = 0; n < PICTURES * 10; n++) memcpy(slots + (size_t)size * (n % SLOTS), buffers + (size_t)size * (n % BUFFERS), size);
    printf("the copy: %.1f us a picture\n", (used() - began) / (PICTURES * 10));
}

int main(int count, char **words) {
    if (count != 4) return 2;
    if (strcmp(words[1], "-") == 0) {
        copy(atoi(words[2]) * atoi(words[3]) * 2);
        return 0;
    }
    int device = open(words[1], O_RDWR);
    check(device, words[1]);
    struct v4l2_format format = {.type = V4L2_BUF_TYPE_VIDEO_CAPTURE};
    format.fmt.pix.width = atoi(words[2]);
    format.fmt.pix.height = atoi(words[3]);
    format.fmt.pix.pixelformat = V4L2_PIX_FMT_YUYV;
    check(ioctl(device, VIDIOC_S_FMT, &format), "S_FMT");
    struct v4l2_streamparm rate = {.type = format.type};
    rate.parm.capture.timeperframe = (struct v4l2_fract){1, 30};
    ioctl(device, VIDIOC_S_PARM, &rate);
    unsigned size = format.fmt.pix.sizeimage;
    size_t stride = (size + 4095) & ~4095ul;
    int memory = memfd_create("slots", 0);
    check(memory, "memfd_create");
    check(ftruncate(memory, stride * SLOTS), "ftruncate");
    char *slots = mmap(NULL, stride * SLOTS, PROT_READ | PROT_WRITE, MAP_SHARED, memory, 0);
    memset(slots, 1, stride * SLOTS);
    run(device, V4L2_MEMORY_MMAP, size, slots, stride);
    run(device, V4L2_MEMORY_USERPTR, size, slots, stride);
}
