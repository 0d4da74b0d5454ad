// Accepts on a range of ports of every address and closes when the peer has: tcp-server FIRST-PORT COUNT
// The peer closes first, so that TIME_WAIT is where a prober has it. Prints "ready" when it listens.
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

static void watch(int epoll, int fd, int listens) {
  struct epoll_event event = {.events = EPOLLIN | (listens ? 0 : EPOLLRDHUP)};
  event.data.u64 = (unsigned)fd | (unsigned long long)listens << 32;
  epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event);
}

int main(int argc, char **argv) {
  if (argc < 3) return 2;
  struct rlimit limit;
  getrlimit(RLIMIT_NOFILE, &limit);
  limit.rlim_cur = limit.rlim_max;
  setrlimit(RLIMIT_NOFILE, &limit);
  int epoll = epoll_create1(0), first = atoi(argv[1]), count = atoi(argv[2]), yes = 1;
  for (int i = 0; i < count; i++) {
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_port = htons(first + i)};
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
    if (bind(fd, (void *)&at, sizeof at) || listen(fd, 4096)) {
      perror("listen");
      return 1;
    }
    watch(epoll, fd, 1);
  }
  puts("ready");
  fflush(stdout);
  struct epoll_event events[256];
  char bytes[4096];
  for (;;) {
    int ready = epoll_wait(epoll, events, 256, -1);
    for (int i = 0; i < ready; i++) {
      int fd = (int)(events[i].data.u64 & 0xffffffff);
      if (events[i].data.u64 >> 32) {
        int peer;
        while ((peer = accept4(fd, NULL, NULL, SOCK_NONBLOCK)) >= 0) watch(epoll, peer, 0);
      } else if (read(fd, bytes, sizeof bytes) <= 0) {
        close(fd);
      }
    }
  }
}
