/* Tells torture/cuts.py of each call that changes something below one folder, before it happens, and waits for leave.

Loaded before the C library into the daemon and its git commands. When the power is cut no answer comes: everything stands
still where it is, and ends with the one who listened. */

#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <unistd.h>

static void tell(const char *what, const char *path) {
    const char *name = getenv("CUTS_SOCKET"), *folder = getenv("CUTS_FOLDER");
    char message[PATH_MAX + 16], answer;
    struct sockaddr_un to = {.sun_family = AF_UNIX};
    if (strncmp(path, folder, strlen(folder))) return;
    strncpy(to.sun_path + 1, name, sizeof to.sun_path - 2); /* a name of no file */
    int line = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
    int length = snprintf(message, sizeof message, "%s %s", what, path);
    if (connect(line, (struct sockaddr *)&to, offsetof(struct sockaddr_un, sun_path) + 1 + strlen(name)) ||
        send(line, message, length, MSG_NOSIGNAL) < 0 || recv(line, &answer, 1, 0) != 1)
        _exit(1); /* nobody is there any more: the power was cut */
    close(line);
}

static int where(int handle, char path[PATH_MAX]) {
    char link[32];
    snprintf(link, sizeof link, handle == AT_FDCWD ? "/proc/self/cwd" : "/proc/self/fd/%d", handle);
    ssize_t length = readlink(link, path, PATH_MAX - 1);
    path[length < 0 ? 0 : length] = 0;
    return length > 0;
}

static void ask(const char *what, int folder, const char *path) {
    char whole[2 * PATH_MAX], above[PATH_MAX];
    if (!getenv("CUTS_SOCKET") || (*path != '/' && !where(folder, above))) return;
    snprintf(whole, sizeof whole, *path == '/' ? "%s%s" : "%s/%s", *path == '/' ? "" : above, path);
    tell(what, whole);
}

static void ask_about(const char *what, int handle) {
    char path[PATH_MAX];
    struct stat found;
    if (!getenv("CUTS_SOCKET") || fstat(handle, &found) || !(S_ISREG(found.st_mode) || S_ISDIR(found.st_mode))) return;
    if (where(handle, path)) tell(what, path);
}

#define REAL(name) ({ static typeof(&name) real; if (!real) real = (typeof(&name))dlsym(RTLD_NEXT, #name); real; })
#define HERE AT_FDCWD
#define BY_PATH(name, folder, path, types, values) int name types { ask(#name, folder, path); return REAL(name) values; }
#define BY_HANDLE(name, result, types, values) result name types { ask_about(#name, handle); return REAL(name) values; }
#define OPENS(name, folder, types, values) \
    int name types { \
        va_list rest; va_start(rest, flags); mode_t mode = va_arg(rest, mode_t); va_end(rest); \
        if (flags & (O_CREAT | O_TRUNC)) ask(#name, folder, path); \
        return REAL(name) values; \
    }

OPENS(open, HERE, (const char *path, int flags, ...), (path, flags, mode))
OPENS(open64, HERE, (const char *path, int flags, ...), (path, flags, mode))
OPENS(openat, folder, (int folder, const char *path, int flags, ...), (folder, path, flags, mode))
OPENS(openat64, folder, (int folder, const char *path, int flags, ...), (folder, path, flags, mode))

BY_HANDLE(fsync, int, (int handle), (handle))
BY_HANDLE(fdatasync, int, (int handle), (handle))
BY_HANDLE(syncfs, int, (int handle), (handle))
BY_HANDLE(write, ssize_t, (int handle, const void *from, size_t size), (handle, from, size))
BY_HANDLE(writev, ssize_t, (int handle, const struct iovec *from, int count), (handle, from, count))
BY_HANDLE(pwrite, ssize_t, (int handle, const void *from, size_t size, off_t at), (handle, from, size, at))
BY_HANDLE(pwrite64, ssize_t, (int handle, const void *from, size_t size, off64_t at), (handle, from, size, at))
BY_HANDLE(ftruncate, int, (int handle, off_t size), (handle, size))
BY_HANDLE(ftruncate64, int, (int handle, off64_t size), (handle, size))

BY_PATH(rename, HERE, path, (const char *path, const char *to), (path, to))
BY_PATH(renameat, folder, path, (int folder, const char *path, int other, const char *to), (folder, path, other, to))
BY_PATH(link, HERE, path, (const char *path, const char *to), (path, to))
BY_PATH(symlink, HERE, path, (const char *to, const char *path), (to, path))
BY_PATH(symlinkat, folder, path, (const char *to, int folder, const char *path), (to, folder, path))
BY_PATH(mkdir, HERE, path, (const char *path, mode_t mode), (path, mode))
BY_PATH(mkdirat, folder, path, (int folder, const char *path, mode_t mode), (folder, path, mode))
BY_PATH(unlink, HERE, path, (const char *path), (path))
BY_PATH(unlinkat, folder, path, (int folder, const char *path, int flags), (folder, path, flags))
BY_PATH(rmdir, HERE, path, (const char *path), (path))
