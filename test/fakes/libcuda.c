// Copyright 2026 seg_ros contributors
//
// Licensed under the Apache License, Version 2.0 (the "License");
// you may not use this file except in compliance with the License.
// You may obtain a copy of the License at
//
//     http://www.apache.org/licenses/LICENSE-2.0
//
// Unless required by applicable law or agreed to in writing, software
// distributed under the License is distributed on an "AS IS" BASIS,
// WITHOUT WARRANTIES OR CONDITIONS OF ANY KIND, either express or implied.
// See the License for the specific language governing permissions and
// limitations under the License.

/*
 * A stand-in for NVIDIA's driver library, for tests of the host's side of CUDA.
 *
 * Host memory plays the GPU's. Each stream is a thread that does its work in order, a little late,
 * so that a wait that is missing shows as wrong bytes. "Kernels" are host functions. What a real
 * driver leaves undefined is noted as misuse: see fake_misuse().
 *
 * Signatures and numbers are those of CUDA's documented driver API.
 */
#define _GNU_SOURCE
#include <pthread.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { INVALID_VALUE = 1, OUT_OF_MEMORY = 2, NOT_INITIALIZED = 3, NO_DEVICE = 100,
       INVALID_DEVICE = 101, INVALID_CONTEXT = 201, INVALID_HANDLE = 400, NOT_READY = 600,
       CONTEXT_DESTROYED = 709, CAPTURE_UNSUPPORTED = 900, CAPTURE_INVALIDATED = 901 };
enum { UPLOAD, KERNEL, DOWNLOAD, RECORD, WAIT, GRAPH, KINDS };
enum { MAPPED_HOST = 2, DEPTH = 16 };

typedef unsigned long long address;
typedef void (*host_function)(void *);

/* Everything that a handle points to begins with this; nothing is ever given back to malloc. */
typedef struct { bool alive; int life; } object;
typedef struct event { object object; long asked, happened; struct timespec time; } event;
typedef struct op {
    int kind; void *to; const void *from; size_t size; host_function function; void *argument;
    event *event; long ticket; struct op *graph, *next;
} op;
typedef struct stream {
    object object; op *first, **last; bool capturing, invalid, closing; op *captured, **tail;
} stream;
typedef struct graph { object object; op *first; } graph;
typedef struct block { char *data; size_t size; unsigned flags; bool pinned; int life;
                       struct block *next; } block;

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
static int gpus, integrated, version = 12060, life = 1, references, pushed, lost, hold;
static bool started;
static long busy, objects, done[KINDS], lose_after, delay_us[KINDS] = {300, 100, 300};
static size_t room = (size_t)1 << 40;
static int lose_code;
static struct { char name[64]; int code, after, times; } failure;
static char misuse[256];
static long misuses;
static block *blocks;
static struct { int marker; } primary;
static __thread void *stack[DEPTH];
static __thread int depth;
static __thread stream *capture;

/* ---- what tests ask for ---- */

static void wrong(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    if (!misuses++) vsnprintf(misuse, sizeof misuse, format, arguments);
    va_end(arguments);
}

void fake_gpus(int count) { gpus = count; }
void fake_integrated(int yes) { integrated = yes; }
void fake_room(size_t bytes) { room = bytes; }
void fake_delay(int kind, long us) { delay_us[kind] = us; }
long fake_done(int kind) { return done[kind]; }
const char *fake_misuse(void) { return misuse; }

/* Keep kernels from starting, or let them. */
void fake_hold(int yes)
{
    pthread_mutex_lock(&lock);
    hold = yes;
    pthread_cond_broadcast(&changed);
    pthread_mutex_unlock(&lock);
}

/* Let a function fail so many times, after that many calls that go well. */
void fake_fail(const char *name, int code, int after, int times)
{
    failure.times = times;
    snprintf(failure.name, sizeof failure.name, "%s", name);
    failure.code = code;
    failure.after = after;
}

/* Lose the context in the place of a kernel, after that many that go well. */
void fake_lose(int code, long after) { lose_code = code; lose_after = after; }

/* What nobody gave back: memory, streams, events, graphs, the context, places on threads' stacks. */
long fake_held(void)
{
    long count = objects + references + pushed;
    for (block *item = blocks; item; item = item->next) count++;
    return count;
}

size_t fake_used(void)
{
    size_t used = 0;
    for (block *item = blocks; item; item = item->next) used += item->size;
    return used;
}

/* Forget everything; only while nobody uses the driver. */
void fake_start(void)
{
    blocks = NULL;
    started = false;
    life++;
    references = pushed = lost = hold = lose_code = integrated = 0;
    objects = misuses = busy = 0;
    misuse[0] = failure.times = 0;
    room = (size_t)1 << 40;
    memset(done, 0, sizeof done);
    delay_us[UPLOAD] = delay_us[DOWNLOAD] = 300;
    delay_us[KERNEL] = 100;
}

__attribute__((constructor)) static void load(void)
{
    const char *count = getenv("FAKE_CUDA_GPUS");
    gpus = count ? atoi(count) : 0;
}

/* ---- what every call begins with ---- */

static int failed(const char *name)
{
    if (!failure.times || strcmp(name, failure.name) || failure.after-- > 0) return 0;
    failure.times--;
    return failure.code;
}

static int ready(const char *name)
{
    int code = failed(name);
    if (code) return code;
    if (!started) return NOT_INITIALIZED;
    if (!depth) return INVALID_CONTEXT;
    return lost;
}

#define BEGIN do { int code_ = ready(__func__); if (code_) return code_; } while (0)
/* Calls that may not happen while this thread captures. */
#define NO_CAPTURE do { if (capture) { capture->invalid = true; return CAPTURE_UNSUPPORTED; } } while (0)
#define CHECK(handle) do { int code_ = usable((object *)(handle), __func__); if (code_) return code_; } while (0)

static int usable(object *item, const char *name)
{
    if (!item) return INVALID_HANDLE;
    if (item->life != life) return CONTEXT_DESTROYED;
    if (item->alive) return 0;
    wrong("%s with a handle that was destroyed", name);
    return INVALID_HANDLE;
}

static void *make(size_t size)
{
    object *item = calloc(1, size);
    item->alive = true;
    item->life = life;
    __atomic_add_fetch(&objects, 1, __ATOMIC_SEQ_CST);
    return item;
}

static int destroy(object *item, const char *name)
{
    int code = usable(item, name);
    if (code) return code;
    item->alive = false;
    __atomic_sub_fetch(&objects, 1, __ATOMIC_SEQ_CST);
    return lost;
}

static block *block_at(const void *data, size_t size)
{
    for (block *item = blocks; item; item = item->next)
        if (item->data <= (char *)data && (char *)data + size <= item->data + item->size)
            return item;
    return NULL;
}

/* ---- streams ---- */

static void pause_for(long us) { if (us > 0) usleep(us); }

static void run(op *item, int age)
{
    if (item->kind == GRAPH) {
        for (op *each = item->graph; each; each = each->next) run(each, age);
    } else if (item->kind == WAIT) {
        pthread_mutex_lock(&lock);
        while (item->event->happened < item->ticket && !lost && age == life)
            pthread_cond_wait(&changed, &lock);
        pthread_mutex_unlock(&lock);
    } else if (item->kind != RECORD && !lost && age == life) {
        pause_for(delay_us[item->kind]);
        if (item->kind == KERNEL) {
            pthread_mutex_lock(&lock);
            while (hold && !lost) pthread_cond_wait(&changed, &lock);
            if (lose_code && lose_after-- <= 0) { lost = lose_code; lose_code = 0; }
            pthread_mutex_unlock(&lock);
            if (!lost) item->function(item->argument);
        } else if (lost) {
            ;   /* nothing happens any more in a lost context, nor is its memory there */
        } else if (!block_at(item->to, item->size) || !block_at(item->from, item->size)) {
            wrong("a copy of %zu bytes outside what is allocated", item->size);
        } else {
            memcpy(item->to, item->from, item->size);
        }
    }
    pthread_mutex_lock(&lock);
    if (item->kind == RECORD) {
        clock_gettime(CLOCK_MONOTONIC, &item->event->time);
        item->event->happened = item->ticket;
    }
    done[item->kind]++;
    pthread_cond_broadcast(&changed);
    pthread_mutex_unlock(&lock);
}

static void *serve(void *argument)
{
    stream *self = argument;
    pthread_mutex_lock(&lock);
    for (;;) {
        while (!self->first && !self->closing) pthread_cond_wait(&changed, &lock);
        if (!self->first) break;
        op *item = self->first;
        pthread_mutex_unlock(&lock);
        run(item, self->object.life);
        pthread_mutex_lock(&lock);
        self->first = item->next;
        if (!self->first) self->last = &self->first;
        busy--;
        pthread_cond_broadcast(&changed);
    }
    pthread_mutex_unlock(&lock);
    return NULL;
}

static int enqueue(stream *to, op what)
{
    op *item = malloc(sizeof what);
    *item = what;
    item->next = NULL;
    if (to->capturing) {
        *to->tail = item;
        to->tail = &item->next;
        return 0;
    }
    pthread_mutex_lock(&lock);
    if (item->kind == RECORD) item->ticket = ++item->event->asked;
    *to->last = item;
    to->last = &item->next;
    busy++;
    pthread_cond_broadcast(&changed);
    pthread_mutex_unlock(&lock);
    return 0;
}

static void drain(stream *only)
{
    pthread_mutex_lock(&lock);
    while (only ? only->first != NULL : busy > 0) pthread_cond_wait(&changed, &lock);
    pthread_mutex_unlock(&lock);
}

int cuStreamCreate(stream **made, unsigned flags)
{
    BEGIN;
    (void)flags;
    stream *self = make(sizeof *self);
    self->last = &self->first;
    pthread_t thread;
    pthread_create(&thread, NULL, serve, self);
    pthread_detach(thread);
    *made = self;
    return 0;
}

int cuStreamDestroy_v2(stream *self)
{
    int code = destroy(&self->object, __func__);
    pthread_mutex_lock(&lock);
    self->closing = true;
    pthread_cond_broadcast(&changed);
    pthread_mutex_unlock(&lock);
    return code;
}

int cuStreamSynchronize(stream *self)
{
    BEGIN;
    if (!self) { NO_CAPTURE; drain(NULL); return lost; }
    CHECK(self);
    if (self->capturing) { self->invalid = true; return CAPTURE_UNSUPPORTED; }
    drain(self);
    return lost;
}

int cuStreamQuery(stream *self)
{
    BEGIN;
    if (!self) return busy ? NOT_READY : 0;
    CHECK(self);
    return self->first ? NOT_READY : 0;
}

int cuStreamWaitEvent(stream *self, event *what, unsigned flags)
{
    BEGIN; CHECK(self); CHECK(what);
    (void)flags;
    return enqueue(self, (op){.kind = WAIT, .event = what, .ticket = what->asked});
}

int cuLaunchHostFunc(stream *self, host_function function, void *argument)
{
    BEGIN; CHECK(self);
    return enqueue(self, (op){.kind = KERNEL, .function = function, .argument = argument});
}

int cuMemcpyHtoDAsync_v2(address to, const void *from, size_t size, stream *self)
{
    BEGIN; CHECK(self);
    return enqueue(self, (op){.kind = UPLOAD, .to = (void *)to, .from = from, .size = size});
}

int cuMemcpyDtoHAsync_v2(void *to, address from, size_t size, stream *self)
{
    BEGIN; CHECK(self);
    return enqueue(self, (op){.kind = DOWNLOAD, .to = to, .from = (void *)from, .size = size});
}

int cuMemcpyDtoDAsync_v2(address to, address from, size_t size, stream *self)
{
    BEGIN; CHECK(self);
    return enqueue(
        self, (op){.kind = UPLOAD, .to = (void *)to, .from = (void *)from, .size = size});
}

/* ---- graphs ---- */

int cuStreamBeginCapture_v2(stream *self, int mode)
{
    BEGIN; CHECK(self);
    (void)mode;
    self->capturing = true;
    self->invalid = false;
    self->captured = NULL;
    self->tail = &self->captured;
    capture = self;
    return 0;
}

int cuStreamEndCapture(stream *self, graph **made)
{
    int code = failed(__func__);
    capture = NULL;
    self->capturing = false;
    *made = NULL;
    if (!code) code = lost ? lost : self->invalid ? CAPTURE_INVALIDATED : 0;
    if (code) return code;
    *made = make(sizeof **made);
    (*made)->first = self->captured;
    return 0;
}

int cuGraphInstantiateWithFlags(graph **made, graph *from, unsigned long long flags)
{
    BEGIN; CHECK(from);
    (void)flags;
    *made = make(sizeof **made);
    (*made)->first = from->first;
    return 0;
}

int cuGraphLaunch(graph *self, stream *on)
{
    BEGIN; CHECK(self); CHECK(on);
    return enqueue(on, (op){.kind = GRAPH, .graph = self->first});
}

int cuGraphDestroy(graph *self) { return self ? destroy(&self->object, __func__) : INVALID_VALUE; }
int cuGraphExecDestroy(graph *self) { return self ? destroy(&self->object, __func__) : INVALID_VALUE; }

/* ---- events ---- */

int cuEventCreate(event **made, unsigned flags)
{
    BEGIN;
    (void)flags;
    *made = make(sizeof **made);
    return 0;
}

int cuEventDestroy_v2(event *self) { return destroy(&self->object, __func__); }

int cuEventRecord(event *self, stream *on)
{
    BEGIN; CHECK(self); CHECK(on);
    return enqueue(on, (op){.kind = RECORD, .event = self});
}

int cuEventQuery(event *self)
{
    BEGIN; CHECK(self);
    return self->happened < self->asked ? NOT_READY : 0;
}

int cuEventSynchronize(event *self)
{
    BEGIN; CHECK(self);
    pthread_mutex_lock(&lock);
    long ticket = self->asked;
    while (self->happened < ticket) pthread_cond_wait(&changed, &lock);
    pthread_mutex_unlock(&lock);
    return lost;
}

int cuEventElapsedTime(float *ms, event *from, event *to)
{
    BEGIN; CHECK(from); CHECK(to);
    if (from->happened < from->asked || to->happened < to->asked) return NOT_READY;
    if (!from->asked || !to->asked) return INVALID_HANDLE;
    *ms = 1e3f * (to->time.tv_sec - from->time.tv_sec)
        + 1e-6f * (to->time.tv_nsec - from->time.tv_nsec);
    return 0;
}

int cuEventElapsedTime_v2(float *ms, event *from, event *to)
{
    return cuEventElapsedTime(ms, from, to);
}

/* ---- memory ---- */

static int allocate(void **made, size_t size, bool pinned, unsigned flags)
{
    if (!size) return INVALID_VALUE;
    if (fake_used() + size > room) return OUT_OF_MEMORY;
    block *item = calloc(1, sizeof *item);
    *item = (block){aligned_alloc(512, (size + 511) / 512 * 512), size, flags, pinned, life, NULL};
    memset(item->data, 0xA5, size);
    pthread_mutex_lock(&lock);
    item->next = blocks;
    blocks = item;
    pthread_mutex_unlock(&lock);
    *made = item->data;
    return 0;
}

static int release(void *data, bool pinned, const char *name)
{
    pthread_mutex_lock(&lock);
    block **link = &blocks;
    while (*link && (*link)->data != data) link = &(*link)->next;
    block *found = *link;
    if (!found || found->pinned != pinned) wrong("%s of what is not allocated", name);
    if (found) *link = found->next;
    pthread_mutex_unlock(&lock);
    return found ? lost : INVALID_VALUE;    /* the bytes stay, in case somebody still reads them */
}

int cuMemAlloc_v2(address *made, size_t size)
{
    BEGIN; NO_CAPTURE;
    void *data;
    int code = allocate(&data, size, false, 0);
    if (!code) *made = (address)data;
    return code;
}

int cuMemHostAlloc(void **made, size_t size, unsigned flags)
{
    BEGIN; NO_CAPTURE;
    return allocate(made, size, true, flags);
}

int cuMemFree_v2(address data) { return depth ? release((void *)data, false, __func__) : INVALID_CONTEXT; }
int cuMemFreeHost(void *data) { return depth ? release(data, true, __func__) : INVALID_CONTEXT; }

int cuMemHostGetDevicePointer_v2(address *made, void *data, unsigned flags)
{
    BEGIN;
    block *found = block_at(data, 1);
    (void)flags;
    if (!found || !(found->flags & MAPPED_HOST)) return INVALID_VALUE;
    *made = (address)data;
    return 0;
}

/* ---- devices and contexts ---- */

int cuInit(unsigned flags)
{
    int code = failed(__func__);
    (void)flags;
    if (code || gpus < 1) return code ? code : NO_DEVICE;
    started = true;
    return 0;
}

int cuDriverGetVersion(int *value) { *value = version; return 0; }
int cuDeviceGetCount(int *count) { *count = gpus; return started ? 0 : NOT_INITIALIZED; }

int cuDeviceGet(int *device, int index)
{
    if (!started) return NOT_INITIALIZED;
    *device = index;
    return 0 <= index && index < gpus ? 0 : INVALID_DEVICE;
}

int cuDeviceGetName(char *name, int size, int device)
{
    snprintf(name, size, "Fake GPU %d", device);
    return 0;
}

int cuDeviceTotalMem_v2(size_t *size, int device) { (void)device; *size = (size_t)8 << 30; return 0; }

int cuMemGetInfo_v2(size_t *free, size_t *total)
{
    *total = room;
    *free = room - fake_used();
    return 0;
}

int cuDeviceGetAttribute(int *value, int attribute, int device)
{
    (void)device;
    *value = attribute == 75 ? 8 : attribute == 76 ? 7 : attribute == 18 ? integrated : 0;
    return 0;
}

int cuDevicePrimaryCtxRetain(void **context, int device)
{
    int code = failed(__func__);
    (void)device;
    if (code) return code;
    if (!started) return NOT_INITIALIZED;
    __atomic_add_fetch(&references, 1, __ATOMIC_SEQ_CST);
    *context = &primary;
    return lost;
}

int cuDevicePrimaryCtxRelease_v2(int device)
{
    (void)device;
    if (__atomic_sub_fetch(&references, 1, __ATOMIC_SEQ_CST) < 0) wrong("released too often");
    return 0;
}

/* The context's memory goes, and with it the meaning of every handle. */
int cuDevicePrimaryCtxReset_v2(int device)
{
    int code = failed(__func__);
    (void)device;
    if (code) return code;
    drain(NULL);
    if (references) wrong("reset while %d still use the context", references);
    for (block *item = blocks; item; item = item->next)
        wrong("reset while %zu bytes are held", item->size);
    pthread_mutex_lock(&lock);
    blocks = NULL;
    objects = 0;
    lost = 0;
    life++;
    pthread_mutex_unlock(&lock);
    return 0;
}

int cuCtxPushCurrent_v2(void *context)
{
    int code = failed(__func__);
    if (code || depth == DEPTH) return code ? code : INVALID_CONTEXT;
    stack[depth++] = context;
    __atomic_add_fetch(&pushed, 1, __ATOMIC_SEQ_CST);
    return 0;
}

/* A driver may answer with what went wrong before, which is why nothing may hang on it. */
int cuCtxPopCurrent_v2(void **context)
{
    if (!depth) return INVALID_CONTEXT;
    *context = stack[--depth];
    __atomic_sub_fetch(&pushed, 1, __ATOMIC_SEQ_CST);
    return lost;
}

int cuCtxGetCurrent(void **context)
{
    *context = depth ? stack[depth - 1] : NULL;
    return 0;
}

int cuCtxGetDevice(int *device) { BEGIN; *device = 0; return 0; }
int cuCtxSynchronize(void) { BEGIN; NO_CAPTURE; drain(NULL); return lost; }

int cuGetErrorName(int code, const char **name)
{
    *name = code ? "CUDA_ERROR" : "CUDA_SUCCESS";
    return 0;
}

int cuGetErrorString(int code, const char **text)
{
    *text = code == OUT_OF_MEMORY ? "out of memory"
        : code == NO_DEVICE ? "no CUDA-capable device is detected"
        : code == 700 ? "an illegal memory access was encountered"
        : code == 999 ? "unknown error" : "an error of the stand-in";
    return 0;
}
