// Datagram out, echo back, one connected socket a probe, never more than CONCURRENCY at once, no resends.
//   udp-client FIRST-ADDRESS HOSTS FIRST-PORT PORTS CONCURRENCY TIMEOUT-MS
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
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
  int epoll = epoll_create1(0), open = 0, next = 0, done = 0, oldest = 0, answered = 0, refused = 0, silent = 0;
  int *fds = calloc(total, sizeof *fds);
  double *due = calloc(total, sizeof *due);
  char out[40] = "xenreach bench", in[64];
  struct epoll_event events[256];
  while (done < total) {
    while (open < places && next < total) {
      int fd = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
      struct sockaddr_in to = {.sin_family = AF_INET};
      to.sin_addr.s_addr = htonl(base + next % hosts);
      to.sin_port = htons(port + next / hosts);
      struct epoll_event event = {.events = EPOLLIN, .data.u32 = next};
      if (fd < 0 || connect(fd, (void *)&to, sizeof to) || send(fd, out, sizeof out, 0) < 0) {
        perror("send");
        return 1;
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
      int at = events[i].data.u32;
      if (recv(fds[at], in, sizeof in, 0) == sizeof out) answered++;
      else refused++;
      close(fds[at]);
      fds[at] = 0, open--, done++;
    }
    for (double at = now(); oldest < next && (!fds[oldest] || due[oldest] <= at); oldest++) {
      if (!fds[oldest]) continue;
      close(fds[oldest]);
      fds[oldest] = 0, silent++, open--, done++;
    }
  }
  printf("{\"wallMs\":%.3f,\"answered\":%d,\"refused\":%d,\"timeout\":%d}\n", now() - began, answered, refused, silent);
}
