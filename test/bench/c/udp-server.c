// Echoes datagrams on a range of ports, from the address they were sent to: udp-server FIRST-PORT COUNT
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

int main(int argc, char **argv) {
  if (argc < 3) return 2;
  int epoll = epoll_create1(0), first = atoi(argv[1]), count = atoi(argv[2]), yes = 1, room = 4 << 20;
  for (int i = 0; i < count; i++) {
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0);
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_port = htons(first + i)};
    struct epoll_event event = {.events = EPOLLIN, .data.fd = fd};
    setsockopt(fd, IPPROTO_IP, IP_PKTINFO, &yes, sizeof yes);
    setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &room, sizeof room);
    if (bind(fd, (void *)&at, sizeof at)) {
      perror("bind");
      return 1;
    }
    epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event);
  }
  puts("ready");
  fflush(stdout);
  struct epoll_event events[256];
  static char bytes[65536], control[256];
  for (;;) {
    int ready = epoll_wait(epoll, events, 256, -1);
    for (int i = 0; i < ready; i++) {
      for (;;) {
        struct sockaddr_in from;
        struct iovec part = {bytes, sizeof bytes};
        struct msghdr message = {&from, sizeof from, &part, 1, control, sizeof control, 0};
        ssize_t length = recvmsg(events[i].data.fd, &message, 0);
        if (length < 0) break;
        // What came as "sent to" goes back as "sent from".
        struct cmsghdr *head = CMSG_FIRSTHDR(&message);
        if (head && head->cmsg_type == IP_PKTINFO) {
          struct in_pktinfo *info = (void *)CMSG_DATA(head);
          info->ipi_spec_dst = info->ipi_addr;
          info->ipi_ifindex = 0;
        }
        part.iov_len = length;
        sendmsg(events[i].data.fd, &message, 0);
      }
    }
  }
}
