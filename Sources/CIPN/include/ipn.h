/* ipn.h: the numbers of Inter Process Networking, as the 2007 proposal gave them, and ours.
 *
 * A network is a file; its r, w and x bits say who may receive, send and manage. */
#ifndef IPN_H
#define IPN_H

#define AF_IPN 34
#define PF_IPN AF_IPN

/* Protocols: the third argument of socket(2). Ours start at 4. */
#define IPN_ANY 0
#define IPN_BROADCAST 1
#define IPN_VDESWITCH 2
#define IPN_VDESWITCH_L3 3

/* Options: level 0, values are int unless said. From 0x80 on they are set before bind or connect. */
#define IPN_SO_PORT 0
#define IPN_SO_DESCR 1 /* text, up to IPN_DESCRLEN bytes */
#define IPN_SO_CHANGE_NUMNODES 2
#define IPN_SO_HANDLE_OOB 3
#define IPN_SO_WANT_OOB_NUMNODES 4
#define IPN_SO_MTU 0x80
#define IPN_SO_NUMNODES 0x81
#define IPN_SO_MSGPOOLSIZE 0x82
#define IPN_SO_FLAGS 0x83
#define IPN_SO_MODE 0x84
/* Options that 2007 did not have. */
#define IPN_SO_HISTORY 0x100 /* sent messages that a writer keeps for those who join later */
#define IPN_SO_WINDOW 0x101  /* this node's own limit on pending messages */
#define IPN_SO_PERSIST 0x102 /* the network lives on without nodes, until this is cleared */

#define IPN_FLAG_LOSSLESS 1

#define IPN_PORTNO_ANY (-1)
#define IPN_DESCRLEN 128

#define IPN_MTU_DEFAULT 1514
#define IPN_MTU_MAX (1 << 30)
#define IPN_NUMNODES_DEFAULT 32
#define IPN_NUMNODES_MAX 65535
#define IPN_MSGPOOLSIZE_DEFAULT 8
#define IPN_MSGPOOLSIZE_MAX 65536
#define IPN_HISTORY_MAX 65536
#define IPN_MODE_DEFAULT 0777

/* Out of band: who is there. Level 0 and tag 0 are the bus's own; a policy's level is its protocol. */
#define IPN_OOB_NUMNODE_TAG 0
struct numnode_oob {
  int level;
  int tag;
  int numreaders;
  int numwriters;
};

#endif
