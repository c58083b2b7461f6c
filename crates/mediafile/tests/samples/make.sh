#!/bin/sh
# Makes the samples again, with ffmpeg 5.1. They are committed, as the encoders
# of another version write other bytes. Run it in this folder.
set -eu
make() { ffmpeg -hide_banner -loglevel error -y -fflags +bitexact "$@"; }
tone="-f lavfi -i sine=frequency=440:duration=1.5:sample_rate=8000"
film="-f lavfi -i testsrc=size=64x48:rate=4:duration=1.5"
exact="-flags +bitexact -map_metadata -1"

make $tone $exact -b:a 8k -write_xing 0 cbr.mp3
make $tone $exact -q:a 9 -id3v2_version 3 -metadata title=雁 vbr.mp3
make $tone $exact -b:a 8k sound.m4a
make $tone $exact -b:a 8k sound.aac
make $tone $exact -ar 4000 -c:a pcm_u8 sound.wav
make $tone $exact -c:a libvorbis -q:a -1 sound.ogg
make $tone $exact -c:a libopus -b:a 6k sound.opus
make $tone $exact -c:a flac sound.flac
make $tone $exact -c:a libopus -b:a 6k voice.webm
make $tone $exact -b:a 8k -f mp4 -brand isom memo.mp4

make $film $tone $exact -c:v libx264 -preset veryslow -crf 40 -c:a aac -b:a 8k film.mp4
make $film $exact -c:v mpeg4 -q:v 31 plain.mov
make $film $exact -c:v libvpx -b:v 20k film.webm
make $film $exact -c:v mpeg4 -q:v 31 film.mkv

make $film -frames:v 1 $exact -q:v 20 picture.jpg
make $film -frames:v 1 $exact -vf format=rgb24 picture.png
make $film -frames:v 2 $exact picture.gif
make $film -frames:v 1 $exact -quality 20 picture.webp
make $film -frames:v 1 $exact -c:v libaom-av1 -still-picture 1 -crf 60 picture.avif
make -i film.mp4 -i picture.jpg -map 0:v -map 1 -c copy $exact -disposition:v:1 attached_pic cover.mp4
