// What a prober on one thread can reach: connect, wait, close, never more than CONCURRENCY at once.
//   tcp-client FIRST-ADDRESS HOSTS FIRST-PORT PORTS CONCURRENCY TIMEOUT-MS        (host by host, port after port)
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

static double now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return t.tv_sec * 1e3 + t.tv_nsec / 1e6;
}

int main(int argc, char **argv) {
  if (argc < 7) return 2;
  struct rlimit limit;
  getrlimit(RLIMIT_NOFILE, &limit);
  limit.rlim_cur = limit.rlim_max;
  setrlimit(RLIMIT_NOFILE, &limit);
  unsigned base = ntohl(inet_addr(argv[1]));
  int hosts = atoi(argv[2]), port = atoi(argv[3]), total = hosts * atoi(argv[4]), places = atoi(argv[5]);
  double timeout = atof(argv[6]), began = now();
  int epoll = epoll_create1(0), open = 0, next = 0, done = 0, oldest = 0;
  int answered = 0, refused = 0, silent = 0, other = 0;
  int *fds = calloc(total, sizeof *fds);       // 0: not open
  double *due = calloc(total, sizeof *due);    // in launch order, so that the oldest is due first
  struct epoll_event events[256];
  while (done < total) {
    while (open < places && next < total) {
      int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
      struct sockaddr_in to = {.sin_family = AF_INET};
      to.sin_addr.s_addr = htonl(base + next % hosts);
      to.sin_port = htons(port + next / hosts);
      struct epoll_event event = {.events = EPOLLOUT, .data.u32 = next};
      if (fd < 0 || (connect(fd, (void *)&to, sizeof to) && errno != EINPROGRESS)) {
        if (errno == ECONNREFUSED) refused++;
        else other++;
        if (fd >= 0) close(fd);
        next++, done++;
        continue;
      }
      epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event);
      due[next] = now() + timeout;
      fds[next++] = fd;
      open++;
    }
    while (oldest < next && !fds[oldest]) oldest++;
    double left = oldest < next ? due[oldest] - now() : 0;
    int ready = epoll_wait(epoll, events, 256, left > 0 ? (int)left + 1 : 0);
    for (int i = 0; i < ready; i++) {
      int at = events[i].data.u32, error = 0;
      socklen_t size = sizeof error;
      getsockopt(fds[at], SOL_SOCKET, SO_ERROR, &error, &size);
      if (!error) answered++;
      else if (error == ECONNREFUSED) refused++;
      else other++;
      close(fds[at]);
      fds[at] = 0, open--, done++;
    }
    for (double at = now(); oldest < next && (!fds[oldest] || due[oldest] <= at); oldest++) {
      if (!fds[oldest]) continue;
      close(fds[oldest]);
      fds[oldest] = 0, silent++, open--, done++;
    }
  }
  printf("{\"wallMs\":%.3f,\"answered\":%d,\"refused\":%d,\"timeout\":%d,\"other\":%d}\n", now() - began, answered,
         refused, silent, other);
}
