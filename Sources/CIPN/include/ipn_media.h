#ifndef IPN_MEDIA_H
#define IPN_MEDIA_H
#endif
