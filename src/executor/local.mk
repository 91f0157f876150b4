noinst_LIBRARIES += %D%/libexecutor.a
%C%_libexecutor_a_SOURCES = \
	%D%/block_file.c %D%/block_file.h \
	%D%/batch.c %D%/batch.h \
	%D%/codec.c %D%/codec.h \
	%D%/columnar.h %D%/columnar_layout.c %D%/columnar_layout.h \
	%D%/columnar_read.c %D%/columnar_write.c \
	%D%/cores.c %D%/cores.h \
	%D%/crew.c %D%/crew.h \
	%D%/delta.c %D%/delta.h \
	%D%/etl_path.c %D%/etl_path.h %D%/etl_profile.c %D%/etl_run.c %D%/etl_stages.c \
	%D%/host.c %D%/host.h \
	%D%/memory.c %D%/memory.h \
	%D%/path.h %D%/paths.c \
	%D%/pool.c %D%/pool.h \
	%D%/queue.c %D%/queue.h \
	%D%/rawlog.c %D%/rawlog.h \
	%D%/rows.c %D%/rows.h \
	%D%/rec.h %D%/rec_path.c %D%/rec_run.c \
	%D%/rec_profile.c %D%/rec_profile.h %D%/rec_profile_batches.c %D%/rec_profile_cores.c \
	%D%/rec_stages.c %D%/rec_stages.h \
	%D%/rec_work.c %D%/rec_work.h \
	%D%/span_log.c %D%/span_log.h \
	%D%/threads.c %D%/threads.h \
	%D%/kernels/etl.c %D%/kernels/etl.h \
	%D%/kernels/labels.c %D%/kernels/labels.h \
	%D%/kernels/prep.c %D%/kernels/prep.h \
	%D%/kernels/logfile.c %D%/kernels/logfile.h \
	%D%/kernels/train.c %D%/kernels/train.h \
	%D%/image_cache.c %D%/image_cache.h \
	%D%/jpegs.c %D%/jpegs.h \
	%D%/vision.h %D%/vision_path.c %D%/vision_profile.c %D%/vision_run.c \
	%D%/vision_work.c %D%/vision_work.h \
	%D%/kernels/convnet.c %D%/kernels/convnet.h \
	%D%/kernels/jpeg.c %D%/kernels/jpeg.h \
	%D%/kernels/photo.c %D%/kernels/photo.h \
	%D%/kernels/pixels.c %D%/kernels/pixels.h

# Retrieval-augmented generation
%C%_libexecutor_a_SOURCES += \
	%D%/llm_compose.c %D%/llm_run.c %D%/llm_run.h %D%/llm_run_parts.h \
	%D%/rag_line.c %D%/rag_line.h %D%/rag_servers.c %D%/rag_work.h \
	%D%/rag.h %D%/rag_loop.c %D%/rag_loop.h %D%/rag_path.c %D%/rag_profile.c %D%/rag_run.c %D%/rag_world.c \
	%D%/kernels/encoder.c %D%/kernels/encoder.h \
	%D%/kernels/index_faiss.h \
	%D%/kernels/kv_cache.c %D%/kernels/kv_cache.h \
	%D%/kernels/questions.c %D%/kernels/questions.h \
	%D%/kernels/transformer.c %D%/kernels/transformer.h

if HAVE_FAISS
%C%_libexecutor_a_SOURCES += %D%/kernels/index_faiss.cc
else
%C%_libexecutor_a_SOURCES += %D%/kernels/index_absent.c
endif
