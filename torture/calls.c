/* Stands between the programs of a pass and the system: counts each call that concerns one folder, and fails some.

Loaded before the C library into the daemon, and by it into every git command: what they ask of files, folders, locks and
processes comes by here, libgit2's own calls too. torture/calls.py holds the other end of `control`. */

#define _GNU_SOURCE
#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

enum kind { LOOK, OPEN, LIST, READ, CREATE, WRITE, SYNC, NAME, REMOVE, LOCK, START }; /* as in calls.py */
enum { LOGGED = 8192, LINE = 160, FILES = 4096 };

static struct control {
    atomic_int armed, count, failed; /* calls so far of the kinds that count, and those that failed */
    int first, last;                 /* numbers of the calls to fail, from 1 on */
    int kinds;                       /* a bit for each kind that counts */
    int error;                       /* errno, or 0 to kill */
    int daemon;                      /* process id: a kill in one of its git commands is one of all of them */
    char folder[512];
    char log[LOGGED][LINE];
} *control;

static unsigned char ours[FILES]; /* handles of files below the folder */

__attribute__((constructor)) static void begin(void) {
    const char *path = getenv("CALLS_CONTROL");
    int handle = path ? open(path, O_RDWR | O_CLOEXEC) : -1;
    if (handle < 0) return;
    void *place = mmap(NULL, sizeof *control, PROT_READ | PROT_WRITE, MAP_SHARED, handle, 0);
    close(handle);
    control = place == MAP_FAILED ? NULL : place;
}

static int is_below(int folder, const char *path) {
    char here[PATH_MAX];
    if (!control || !control->armed || !path) return 0;
    size_t length = strlen(control->folder);
    if (*path != '/') {
        if (folder != AT_FDCWD) return folder >= 0 && folder < FILES && ours[folder];
        if (!getcwd(here, sizeof here)) return 0;
        path = here;
    }
    return !strncmp(path, control->folder, length) && (path[length] == '/' || !path[length]);
}

static int is_ours(int handle) { return control && control->armed && handle >= 0 && handle < FILES && ours[handle]; }

/* Count a call; true when it is to fail, with errno set. */
static int fails(enum kind kind, const char *what, const char *path) {
    if (!(control->kinds >> kind & 1)) return 0;
    int number = ++control->count;
    if (number <= LOGGED) snprintf(control->log[number - 1], LINE, "%d %s %s", kind, what, path);
    if (number < control->first || number > control->last) return 0;
    control->failed++;
    if (!control->error) {
        kill(control->daemon, SIGKILL);
        kill(getpid(), SIGKILL);
    }
    errno = control->error;
    return 1;
}

static int keep(int handle, int mine) {
    if (handle >= 0 && handle < FILES) ours[handle] = mine;
    return handle;
}

#define REAL(name) ({ static typeof(&name) real; if (!real) real = (typeof(&name))dlsym(RTLD_NEXT, #name); real; })
#define PATHS(kind, result, name, folder, path, types, values) \
    result name types { return is_below(folder, path) && fails(kind, #name, path) ? (result)-1 : REAL(name) values; }
#define HANDLES(kind, result, name, types, values) \
    result name types { return is_ours(handle) && fails(kind, #name, "") ? (result)-1 : REAL(name) values; }

#define HERE AT_FDCWD
#define WRITES(flags) (((flags) & O_ACCMODE) != O_RDONLY || (flags) & O_CREAT)
#define OPENS(name, folder, types, values) \
    int name types { \
        va_list rest; va_start(rest, flags); \
        mode_t mode = flags & (O_CREAT | O_TMPFILE) ? va_arg(rest, mode_t) : 0; va_end(rest); \
        int mine = is_below(folder, path); \
        if (mine && fails(WRITES(flags) ? CREATE : OPEN, #name, path)) return -1; \
        return keep(REAL(name) values, mine); \
    }
OPENS(open, HERE, (const char *path, int flags, ...), (path, flags, mode))
OPENS(open64, HERE, (const char *path, int flags, ...), (path, flags, mode))
OPENS(openat, folder, (int folder, const char *path, int flags, ...), (folder, path, flags, mode))
OPENS(openat64, folder, (int folder, const char *path, int flags, ...), (folder, path, flags, mode))
int __open64_2(const char *path, int flags) { return open64(path, flags); }
int __open_2(const char *path, int flags) { return open64(path, flags); }

#define STREAMS(name) \
    FILE *name(const char *path, const char *mode) { \
        return is_below(HERE, path) && fails(*mode == 'r' ? OPEN : CREATE, #name, path) ? NULL : REAL(name)(path, mode); \
    }
STREAMS(fopen)
STREAMS(fopen64)

int close(int handle) { keep(handle, 0); return REAL(close)(handle); }
int dup2(int handle, int other) { return keep(REAL(dup2)(handle, other), is_ours(handle)); }
int dup(int handle) { return keep(REAL(dup)(handle), is_ours(handle)); }

DIR *opendir(const char *path) { return is_below(HERE, path) && fails(LIST, "opendir", path) ? NULL : REAL(opendir)(path); }
DIR *fdopendir(int handle) { return is_ours(handle) && fails(LIST, "fdopendir", "") ? NULL : REAL(fdopendir)(handle); }

HANDLES(READ, ssize_t, read, (int handle, void *to, size_t size), (handle, to, size))
HANDLES(READ, ssize_t, pread, (int handle, void *to, size_t size, off_t at), (handle, to, size, at))
HANDLES(READ, ssize_t, pread64, (int handle, void *to, size_t size, off64_t at), (handle, to, size, at))
#define MAPS(name, offset) \
    void *name(void *at, size_t size, int access, int flags, int handle, offset from) { \
        return is_ours(handle) && fails(READ, #name, "") ? MAP_FAILED : REAL(name)(at, size, access, flags, handle, from); \
    }
MAPS(mmap, off_t)
MAPS(mmap64, off64_t)

/* What fails to be written is half written. */
ssize_t write(int handle, const void *from, size_t size) {
    if (!is_ours(handle) || !fails(WRITE, "write", "")) return REAL(write)(handle, from, size);
    int error = errno;
    if (REAL(write)(handle, from, size / 2) < 0) return -1;
    errno = error;
    return -1;
}
HANDLES(WRITE, ssize_t, pwrite, (int handle, const void *from, size_t size, off_t at), (handle, from, size, at))
HANDLES(WRITE, ssize_t, pwrite64, (int handle, const void *from, size_t size, off64_t at), (handle, from, size, at))
HANDLES(SYNC, int, fsync, (int handle), (handle))
HANDLES(SYNC, int, fdatasync, (int handle), (handle))
HANDLES(SYNC, int, syncfs, (int handle), (handle))
HANDLES(NAME, int, fchmod, (int handle, mode_t mode), (handle, mode))
HANDLES(WRITE, int, ftruncate, (int handle, off_t size), (handle, size))
HANDLES(WRITE, int, ftruncate64, (int handle, off64_t size), (handle, size))
HANDLES(LOCK, int, flock, (int handle, int operation), (handle, operation))

PATHS(NAME, int, rename, HERE, path, (const char *path, const char *to), (path, to))
PATHS(NAME, int, renameat, folder, path, (int folder, const char *path, int other, const char *to), (folder, path, other, to))
PATHS(NAME, int, link, HERE, path, (const char *path, const char *to), (path, to))
PATHS(NAME, int, symlink, HERE, path, (const char *to, const char *path), (to, path))
PATHS(NAME, int, symlinkat, folder, path, (const char *to, int folder, const char *path), (to, folder, path))
PATHS(NAME, int, mkdir, HERE, path, (const char *path, mode_t mode), (path, mode))
PATHS(NAME, int, mkdirat, folder, path, (int folder, const char *path, mode_t mode), (folder, path, mode))
PATHS(NAME, int, chmod, HERE, path, (const char *path, mode_t mode), (path, mode))
PATHS(REMOVE, int, unlink, HERE, path, (const char *path), (path))
PATHS(REMOVE, int, unlinkat, folder, path, (int folder, const char *path, int flags), (folder, path, flags))
PATHS(REMOVE, int, rmdir, HERE, path, (const char *path), (path))

PATHS(LOOK, int, stat, HERE, path, (const char *path, struct stat *to), (path, to))
PATHS(LOOK, int, stat64, HERE, path, (const char *path, struct stat64 *to), (path, to))
PATHS(LOOK, int, lstat, HERE, path, (const char *path, struct stat *to), (path, to))
PATHS(LOOK, int, lstat64, HERE, path, (const char *path, struct stat64 *to), (path, to))
PATHS(LOOK, int, fstatat, folder, path, (int folder, const char *path, struct stat *to, int flags), (folder, path, to, flags))
PATHS(LOOK, int, fstatat64, folder, path, (int folder, const char *path, struct stat64 *to, int flags), (folder, path, to, flags))
PATHS(LOOK, int, access, HERE, path, (const char *path, int mode), (path, mode))
extern int __xstat(int, const char *, struct stat *), __lxstat(int, const char *, struct stat *);
PATHS(LOOK, int, __xstat, HERE, path, (int version, const char *path, struct stat *to), (version, path, to))
PATHS(LOOK, int, __lxstat, HERE, path, (int version, const char *path, struct stat *to), (version, path, to))

/* A git command of the daemon is watched as well, though it gets an environment of its own. */
int execve(const char *path, char *const arguments[], char *const environment[]) {
    static char shim[PATH_MAX + 16], place[PATH_MAX + 16];
    char *extended[512];
    int count = 0;
    if (!control || !control->armed) return REAL(execve)(path, arguments, environment);
    if (fails(START, "execve", path)) return -1;
    for (; environment[count] && count < 509; count++) extended[count] = environment[count];
    snprintf(shim, sizeof shim, "LD_PRELOAD=%s", getenv("LD_PRELOAD"));
    snprintf(place, sizeof place, "CALLS_CONTROL=%s", getenv("CALLS_CONTROL"));
    extended[count++] = shim, extended[count++] = place, extended[count] = NULL;
    return REAL(execve)(path, arguments, extended);
}

int pipe2(int handles[2], int flags) {
    return control && control->armed && fails(START, "pipe2", "") ? -1 : REAL(pipe2)(handles, flags);
}
