module @paged_step_int8 attributes {mhlo.num_replicas = 1 : i32, mhlo.num_partitions = 1 : i32} {
  func.func public @main(%arg0: tensor<5x320xbf16>, %arg1: tensor<5x16xf32>, %arg2: tensor<5x16xf32>, %arg3: tensor<2x3xi32>, %arg4: tensor<5xi32>, %arg5: tensor<5xi32>, %arg6: tensor<5xi32>, %arg7: tensor<32xbf16>, %arg8: tensor<32xbf16>, %arg9: tensor<6x2x32x16xbf16>, %arg10: tensor<6x2x16x32xbf16>) -> (tensor<5x192xf32>) {
    %0 = stablehlo.transpose %arg9, dims = [0, 1, 3, 2] : (tensor<6x2x32x16xbf16>) -> tensor<6x2x16x32xbf16>
    %1 = stablehlo.convert %0 : (tensor<6x2x16x32xbf16>) -> tensor<6x2x16x32xf32>
    %2 = stablehlo.abs %1 : tensor<6x2x16x32xf32>
    %3 = stablehlo.constant dense<0xFF800000> : tensor<f32>
    %4 = stablehlo.reduce(%2 init: %3) applies stablehlo.maximum across dimensions = [3] : (tensor<6x2x16x32xf32>, tensor<f32>) -> tensor<6x2x16xf32>
    %5 = stablehlo.constant dense<127.0> : tensor<f32>
    %6 = stablehlo.broadcast_in_dim %5, dims = [] : (tensor<f32>) -> tensor<6x2x16xf32>
    %7 = stablehlo.divide %4, %6 : tensor<6x2x16xf32>
    %8 = stablehlo.constant dense<1.0e-30> : tensor<f32>
    %9 = stablehlo.broadcast_in_dim %8, dims = [] : (tensor<f32>) -> tensor<6x2x16xf32>
    %10 = stablehlo.maximum %7, %9 : tensor<6x2x16xf32>
    %11 = stablehlo.constant dense<1.0> : tensor<f32>
    %12 = stablehlo.broadcast_in_dim %11, dims = [] : (tensor<f32>) -> tensor<6x2x16xf32>
    %13 = stablehlo.divide %12, %10 : tensor<6x2x16xf32>
    %14 = stablehlo.broadcast_in_dim %13, dims = [0, 1, 2] : (tensor<6x2x16xf32>) -> tensor<6x2x16x32xf32>
    %15 = stablehlo.multiply %1, %14 : tensor<6x2x16x32xf32>
    %16 = stablehlo.constant dense<0.5> : tensor<f32>
    %17 = stablehlo.broadcast_in_dim %16, dims = [] : (tensor<f32>) -> tensor<6x2x16x32xf32>
    %18 = stablehlo.add %15, %17 : tensor<6x2x16x32xf32>
    %19 = stablehlo.floor %18 : tensor<6x2x16x32xf32>
    %20 = stablehlo.convert %19 : (tensor<6x2x16x32xf32>) -> tensor<6x2x16x32xi8>
    %21 = stablehlo.convert %arg10 : (tensor<6x2x16x32xbf16>) -> tensor<6x2x16x32xf32>
    %22 = stablehlo.abs %21 : tensor<6x2x16x32xf32>
    %23 = stablehlo.constant dense<0xFF800000> : tensor<f32>
    %24 = stablehlo.reduce(%22 init: %23) applies stablehlo.maximum across dimensions = [3] : (tensor<6x2x16x32xf32>, tensor<f32>) -> tensor<6x2x16xf32>
    %25 = stablehlo.divide %24, %6 : tensor<6x2x16xf32>
    %26 = stablehlo.maximum %25, %9 : tensor<6x2x16xf32>
    %27 = stablehlo.divide %12, %26 : tensor<6x2x16xf32>
    %28 = stablehlo.broadcast_in_dim %27, dims = [0, 1, 2] : (tensor<6x2x16xf32>) -> tensor<6x2x16x32xf32>
    %29 = stablehlo.multiply %21, %28 : tensor<6x2x16x32xf32>
    %30 = stablehlo.add %29, %17 : tensor<6x2x16x32xf32>
    %31 = stablehlo.floor %30 : tensor<6x2x16x32xf32>
    %32 = stablehlo.convert %31 : (tensor<6x2x16x32xf32>) -> tensor<6x2x16x32xi8>
    %33 = stablehlo.transpose %20, dims = [0, 1, 3, 2] : (tensor<6x2x16x32xi8>) -> tensor<6x2x32x16xi8>
    %34 = stablehlo.slice %arg0 [0:5, 0:192] : (tensor<5x320xbf16>) -> tensor<5x192xbf16>
    %35 = stablehlo.reshape %34 : (tensor<5x192xbf16>) -> tensor<5x6x32xbf16>
    %36 = stablehlo.slice %arg0 [0:5, 192:256] : (tensor<5x320xbf16>) -> tensor<5x64xbf16>
    %37 = stablehlo.reshape %36 : (tensor<5x64xbf16>) -> tensor<5x2x32xbf16>
    %38 = stablehlo.slice %arg0 [0:5, 256:320] : (tensor<5x320xbf16>) -> tensor<5x64xbf16>
    %39 = stablehlo.reshape %38 : (tensor<5x64xbf16>) -> tensor<5x2x32xbf16>
    %40 = stablehlo.convert %35 : (tensor<5x6x32xbf16>) -> tensor<5x6x32xf32>
    %41 = stablehlo.multiply %40, %40 : tensor<5x6x32xf32>
    %42 = stablehlo.constant dense<0.0> : tensor<f32>
    %43 = stablehlo.reduce(%41 init: %42) applies stablehlo.add across dimensions = [2] : (tensor<5x6x32xf32>, tensor<f32>) -> tensor<5x6xf32>
    %44 = stablehlo.constant dense<0.03125> : tensor<f32>
    %45 = stablehlo.broadcast_in_dim %44, dims = [] : (tensor<f32>) -> tensor<5x6xf32>
    %46 = stablehlo.multiply %43, %45 : tensor<5x6xf32>
    %47 = stablehlo.constant dense<1.0e-5> : tensor<f32>
    %48 = stablehlo.broadcast_in_dim %47, dims = [] : (tensor<f32>) -> tensor<5x6xf32>
    %49 = stablehlo.add %46, %48 : tensor<5x6xf32>
    %50 = stablehlo.rsqrt %49 : tensor<5x6xf32>
    %51 = stablehlo.broadcast_in_dim %50, dims = [0, 1] : (tensor<5x6xf32>) -> tensor<5x6x32xf32>
    %52 = stablehlo.multiply %40, %51 : tensor<5x6x32xf32>
    %53 = stablehlo.convert %52 : (tensor<5x6x32xf32>) -> tensor<5x6x32xbf16>
    %54 = stablehlo.broadcast_in_dim %arg7, dims = [2] : (tensor<32xbf16>) -> tensor<5x6x32xbf16>
    %55 = stablehlo.multiply %53, %54 : tensor<5x6x32xbf16>
    %56 = stablehlo.convert %55 : (tensor<5x6x32xbf16>) -> tensor<5x6x32xf32>
    %57 = stablehlo.slice %56 [0:5, 0:6, 0:16] : (tensor<5x6x32xf32>) -> tensor<5x6x16xf32>
    %58 = stablehlo.slice %56 [0:5, 0:6, 16:32] : (tensor<5x6x32xf32>) -> tensor<5x6x16xf32>
    %59 = stablehlo.broadcast_in_dim %arg1, dims = [0, 2] : (tensor<5x16xf32>) -> tensor<5x6x16xf32>
    %60 = stablehlo.multiply %57, %59 : tensor<5x6x16xf32>
    %61 = stablehlo.broadcast_in_dim %arg2, dims = [0, 2] : (tensor<5x16xf32>) -> tensor<5x6x16xf32>
    %62 = stablehlo.multiply %58, %61 : tensor<5x6x16xf32>
    %63 = stablehlo.subtract %60, %62 : tensor<5x6x16xf32>
    %64 = stablehlo.multiply %58, %59 : tensor<5x6x16xf32>
    %65 = stablehlo.multiply %57, %61 : tensor<5x6x16xf32>
    %66 = stablehlo.add %64, %65 : tensor<5x6x16xf32>
    %67 = stablehlo.concatenate %63, %66, dim = 2 : (tensor<5x6x16xf32>, tensor<5x6x16xf32>) -> tensor<5x6x32xf32>
    %68 = stablehlo.convert %67 : (tensor<5x6x32xf32>) -> tensor<5x6x32xbf16>
    %69 = stablehlo.convert %37 : (tensor<5x2x32xbf16>) -> tensor<5x2x32xf32>
    %70 = stablehlo.multiply %69, %69 : tensor<5x2x32xf32>
    %71 = stablehlo.constant dense<0.0> : tensor<f32>
    %72 = stablehlo.reduce(%70 init: %71) applies stablehlo.add across dimensions = [2] : (tensor<5x2x32xf32>, tensor<f32>) -> tensor<5x2xf32>
    %73 = stablehlo.broadcast_in_dim %44, dims = [] : (tensor<f32>) -> tensor<5x2xf32>
    %74 = stablehlo.multiply %72, %73 : tensor<5x2xf32>
    %75 = stablehlo.broadcast_in_dim %47, dims = [] : (tensor<f32>) -> tensor<5x2xf32>
    %76 = stablehlo.add %74, %75 : tensor<5x2xf32>
    %77 = stablehlo.rsqrt %76 : tensor<5x2xf32>
    %78 = stablehlo.broadcast_in_dim %77, dims = [0, 1] : (tensor<5x2xf32>) -> tensor<5x2x32xf32>
    %79 = stablehlo.multiply %69, %78 : tensor<5x2x32xf32>
    %80 = stablehlo.convert %79 : (tensor<5x2x32xf32>) -> tensor<5x2x32xbf16>
    %81 = stablehlo.broadcast_in_dim %arg8, dims = [2] : (tensor<32xbf16>) -> tensor<5x2x32xbf16>
    %82 = stablehlo.multiply %80, %81 : tensor<5x2x32xbf16>
    %83 = stablehlo.convert %82 : (tensor<5x2x32xbf16>) -> tensor<5x2x32xf32>
    %84 = stablehlo.slice %83 [0:5, 0:2, 0:16] : (tensor<5x2x32xf32>) -> tensor<5x2x16xf32>
    %85 = stablehlo.slice %83 [0:5, 0:2, 16:32] : (tensor<5x2x32xf32>) -> tensor<5x2x16xf32>
    %86 = stablehlo.broadcast_in_dim %arg1, dims = [0, 2] : (tensor<5x16xf32>) -> tensor<5x2x16xf32>
    %87 = stablehlo.multiply %84, %86 : tensor<5x2x16xf32>
    %88 = stablehlo.broadcast_in_dim %arg2, dims = [0, 2] : (tensor<5x16xf32>) -> tensor<5x2x16xf32>
    %89 = stablehlo.multiply %85, %88 : tensor<5x2x16xf32>
    %90 = stablehlo.subtract %87, %89 : tensor<5x2x16xf32>
    %91 = stablehlo.multiply %85, %86 : tensor<5x2x16xf32>
    %92 = stablehlo.multiply %84, %88 : tensor<5x2x16xf32>
    %93 = stablehlo.add %91, %92 : tensor<5x2x16xf32>
    %94 = stablehlo.concatenate %90, %93, dim = 2 : (tensor<5x2x16xf32>, tensor<5x2x16xf32>) -> tensor<5x2x32xf32>
    %95 = stablehlo.convert %94 : (tensor<5x2x32xf32>) -> tensor<5x2x32xbf16>
    %96 = stablehlo.convert %95 : (tensor<5x2x32xbf16>) -> tensor<5x2x32xf32>
    %97 = stablehlo.abs %96 : tensor<5x2x32xf32>
    %98 = stablehlo.constant dense<0xFF800000> : tensor<f32>
    %99 = stablehlo.reduce(%97 init: %98) applies stablehlo.maximum across dimensions = [2] : (tensor<5x2x32xf32>, tensor<f32>) -> tensor<5x2xf32>
    %100 = stablehlo.broadcast_in_dim %5, dims = [] : (tensor<f32>) -> tensor<5x2xf32>
    %101 = stablehlo.divide %99, %100 : tensor<5x2xf32>
    %102 = stablehlo.broadcast_in_dim %8, dims = [] : (tensor<f32>) -> tensor<5x2xf32>
    %103 = stablehlo.maximum %101, %102 : tensor<5x2xf32>
    %104 = stablehlo.broadcast_in_dim %11, dims = [] : (tensor<f32>) -> tensor<5x2xf32>
    %105 = stablehlo.divide %104, %103 : tensor<5x2xf32>
    %106 = stablehlo.broadcast_in_dim %105, dims = [0, 1] : (tensor<5x2xf32>) -> tensor<5x2x32xf32>
    %107 = stablehlo.multiply %96, %106 : tensor<5x2x32xf32>
    %108 = stablehlo.broadcast_in_dim %16, dims = [] : (tensor<f32>) -> tensor<5x2x32xf32>
    %109 = stablehlo.add %107, %108 : tensor<5x2x32xf32>
    %110 = stablehlo.floor %109 : tensor<5x2x32xf32>
    %111 = stablehlo.convert %110 : (tensor<5x2x32xf32>) -> tensor<5x2x32xi8>
    %112 = stablehlo.convert %39 : (tensor<5x2x32xbf16>) -> tensor<5x2x32xf32>
    %113 = stablehlo.abs %112 : tensor<5x2x32xf32>
    %114 = stablehlo.constant dense<0xFF800000> : tensor<f32>
    %115 = stablehlo.reduce(%113 init: %114) applies stablehlo.maximum across dimensions = [2] : (tensor<5x2x32xf32>, tensor<f32>) -> tensor<5x2xf32>
    %116 = stablehlo.divide %115, %100 : tensor<5x2xf32>
    %117 = stablehlo.maximum %116, %102 : tensor<5x2xf32>
    %118 = stablehlo.divide %104, %117 : tensor<5x2xf32>
    %119 = stablehlo.broadcast_in_dim %118, dims = [0, 1] : (tensor<5x2xf32>) -> tensor<5x2x32xf32>
    %120 = stablehlo.multiply %112, %119 : tensor<5x2x32xf32>
    %121 = stablehlo.add %120, %108 : tensor<5x2x32xf32>
    %122 = stablehlo.floor %121 : tensor<5x2x32xf32>
    %123 = stablehlo.convert %122 : (tensor<5x2x32xf32>) -> tensor<5x2x32xi8>
    %124 = stablehlo.iota dim = 1 : tensor<5x96xi32>
    %125 = stablehlo.broadcast_in_dim %arg6, dims = [0] : (tensor<5xi32>) -> tensor<5x96xi32>
    %126 = stablehlo.compare EQ, %125, %124, SIGNED : (tensor<5x96xi32>, tensor<5x96xi32>) -> tensor<5x96xi1>
    %127 = stablehlo.convert %126 : (tensor<5x96xi1>) -> tensor<5x96xf32>
    %128 = stablehlo.constant dense<0.0> : tensor<f32>
    %129 = stablehlo.reduce(%127 init: %128) applies stablehlo.add across dimensions = [0] : (tensor<5x96xf32>, tensor<f32>) -> tensor<96xf32>
    %130 = stablehlo.broadcast_in_dim %11, dims = [] : (tensor<f32>) -> tensor<96xf32>
    %131 = stablehlo.compare GE, %129, %130, FLOAT : (tensor<96xf32>, tensor<96xf32>) -> tensor<96xi1>
    %132 = stablehlo.transpose %33, dims = [0, 3, 1, 2] : (tensor<6x2x32x16xi8>) -> tensor<6x16x2x32xi8>
    %133 = stablehlo.reshape %132 : (tensor<6x16x2x32xi8>) -> tensor<96x2x32xi8>
    %134 = stablehlo.convert %111 : (tensor<5x2x32xi8>) -> tensor<5x2x32xf32>
    %135 = stablehlo.dot_general %127, %134, contracting_dims = [0] x [0], precision = [HIGHEST, HIGHEST] : (tensor<5x96xf32>, tensor<5x2x32xf32>) -> tensor<96x2x32xf32>
    %136 = stablehlo.convert %135 : (tensor<96x2x32xf32>) -> tensor<96x2x32xi8>
    %137 = stablehlo.broadcast_in_dim %131, dims = [0] : (tensor<96xi1>) -> tensor<96x2x32xi1>
    %138 = stablehlo.select %137, %136, %133 : tensor<96x2x32xi1>, tensor<96x2x32xi8>
    %139 = stablehlo.transpose %32, dims = [0, 2, 1, 3] : (tensor<6x2x16x32xi8>) -> tensor<6x16x2x32xi8>
    %140 = stablehlo.reshape %139 : (tensor<6x16x2x32xi8>) -> tensor<96x2x32xi8>
    %141 = stablehlo.convert %123 : (tensor<5x2x32xi8>) -> tensor<5x2x32xf32>
    %142 = stablehlo.dot_general %127, %141, contracting_dims = [0] x [0], precision = [HIGHEST, HIGHEST] : (tensor<5x96xf32>, tensor<5x2x32xf32>) -> tensor<96x2x32xf32>
    %143 = stablehlo.convert %142 : (tensor<96x2x32xf32>) -> tensor<96x2x32xi8>
    %144 = stablehlo.select %137, %143, %140 : tensor<96x2x32xi1>, tensor<96x2x32xi8>
    %145 = stablehlo.transpose %10, dims = [0, 2, 1] : (tensor<6x2x16xf32>) -> tensor<6x16x2xf32>
    %146 = stablehlo.reshape %145 : (tensor<6x16x2xf32>) -> tensor<96x2xf32>
    %147 = stablehlo.dot_general %127, %103, contracting_dims = [0] x [0], precision = [HIGHEST, HIGHEST] : (tensor<5x96xf32>, tensor<5x2xf32>) -> tensor<96x2xf32>
    %148 = stablehlo.broadcast_in_dim %131, dims = [0] : (tensor<96xi1>) -> tensor<96x2xi1>
    %149 = stablehlo.select %148, %147, %146 : tensor<96x2xi1>, tensor<96x2xf32>
    %150 = stablehlo.transpose %26, dims = [0, 2, 1] : (tensor<6x2x16xf32>) -> tensor<6x16x2xf32>
    %151 = stablehlo.reshape %150 : (tensor<6x16x2xf32>) -> tensor<96x2xf32>
    %152 = stablehlo.dot_general %127, %117, contracting_dims = [0] x [0], precision = [HIGHEST, HIGHEST] : (tensor<5x96xf32>, tensor<5x2xf32>) -> tensor<96x2xf32>
    %153 = stablehlo.select %148, %152, %151 : tensor<96x2xi1>, tensor<96x2xf32>
    %154 = stablehlo.constant dense<16> : tensor<i32>
    %155 = stablehlo.broadcast_in_dim %154, dims = [] : (tensor<i32>) -> tensor<2x3xi32>
    %156 = stablehlo.multiply %arg3, %155 : tensor<2x3xi32>
    %157 = stablehlo.broadcast_in_dim %156, dims = [0, 1] : (tensor<2x3xi32>) -> tensor<2x3x16xi32>
    %158 = stablehlo.iota dim = 2 : tensor<2x3x16xi32>
    %159 = stablehlo.add %157, %158 : tensor<2x3x16xi32>
    %160 = stablehlo.reshape %159 : (tensor<2x3x16xi32>) -> tensor<2x48xi32>
    %161 = "stablehlo.gather"(%160, %arg4) <{dimension_numbers = #stablehlo.gather<offset_dims = [1], collapsed_slice_dims = [0], start_index_map = [0], index_vector_dim = 1>, indices_are_sorted = false, slice_sizes = array<i64: 1, 48>}> : (tensor<2x48xi32>, tensor<5xi32>) -> tensor<5x48xi32>
    %162 = stablehlo.iota dim = 2 : tensor<5x1x48xi32>
    %163 = stablehlo.broadcast_in_dim %arg5, dims = [0] : (tensor<5xi32>) -> tensor<5x1x48xi32>
    %164 = stablehlo.compare LE, %162, %163, SIGNED : (tensor<5x1x48xi32>, tensor<5x1x48xi32>) -> tensor<5x1x48xi1>
    %165 = "stablehlo.gather"(%138, %161) <{dimension_numbers = #stablehlo.gather<offset_dims = [2, 3], collapsed_slice_dims = [0], start_index_map = [0], index_vector_dim = 2>, indices_are_sorted = false, slice_sizes = array<i64: 1, 2, 32>}> : (tensor<96x2x32xi8>, tensor<5x48xi32>) -> tensor<5x48x2x32xi8>
    %166 = stablehlo.convert %165 : (tensor<5x48x2x32xi8>) -> tensor<5x48x2x32xf32>
    %167 = "stablehlo.gather"(%149, %161) <{dimension_numbers = #stablehlo.gather<offset_dims = [2], collapsed_slice_dims = [0], start_index_map = [0], index_vector_dim = 2>, indices_are_sorted = false, slice_sizes = array<i64: 1, 2>}> : (tensor<96x2xf32>, tensor<5x48xi32>) -> tensor<5x48x2xf32>
    %168 = stablehlo.broadcast_in_dim %167, dims = [0, 1, 2] : (tensor<5x48x2xf32>) -> tensor<5x48x2x32xf32>
    %169 = stablehlo.multiply %166, %168 : tensor<5x48x2x32xf32>
    %170 = stablehlo.transpose %169, dims = [0, 2, 1, 3] : (tensor<5x48x2x32xf32>) -> tensor<5x2x48x32xf32>
    %171 = "stablehlo.gather"(%144, %161) <{dimension_numbers = #stablehlo.gather<offset_dims = [2, 3], collapsed_slice_dims = [0], start_index_map = [0], index_vector_dim = 2>, indices_are_sorted = false, slice_sizes = array<i64: 1, 2, 32>}> : (tensor<96x2x32xi8>, tensor<5x48xi32>) -> tensor<5x48x2x32xi8>
    %172 = stablehlo.convert %171 : (tensor<5x48x2x32xi8>) -> tensor<5x48x2x32xf32>
    %173 = "stablehlo.gather"(%153, %161) <{dimension_numbers = #stablehlo.gather<offset_dims = [2], collapsed_slice_dims = [0], start_index_map = [0], index_vector_dim = 2>, indices_are_sorted = false, slice_sizes = array<i64: 1, 2>}> : (tensor<96x2xf32>, tensor<5x48xi32>) -> tensor<5x48x2xf32>
    %174 = stablehlo.broadcast_in_dim %173, dims = [0, 1, 2] : (tensor<5x48x2xf32>) -> tensor<5x48x2x32xf32>
    %175 = stablehlo.multiply %172, %174 : tensor<5x48x2x32xf32>
    %176 = stablehlo.transpose %175, dims = [0, 2, 1, 3] : (tensor<5x48x2x32xf32>) -> tensor<5x2x48x32xf32>
    %177 = stablehlo.reshape %68 : (tensor<5x6x32xbf16>) -> tensor<5x2x3x1x32xbf16>
    %178 = stablehlo.convert %177 : (tensor<5x2x3x1x32xbf16>) -> tensor<5x2x3x1x32xf32>
    %179 = stablehlo.dot_general %178, %170, batching_dims = [0, 1] x [0, 1], contracting_dims = [4] x [3], precision = [HIGHEST, HIGHEST] : (tensor<5x2x3x1x32xf32>, tensor<5x2x48x32xf32>) -> tensor<5x2x3x1x48xf32>
    %180 = stablehlo.constant dense<0.17677669> : tensor<f32>
    %181 = stablehlo.broadcast_in_dim %180, dims = [] : (tensor<f32>) -> tensor<5x2x3x1x48xf32>
    %182 = stablehlo.multiply %179, %181 : tensor<5x2x3x1x48xf32>
    %183 = stablehlo.constant dense<-1.0e30> : tensor<f32>
    %184 = stablehlo.broadcast_in_dim %164, dims = [0, 3, 4] : (tensor<5x1x48xi1>) -> tensor<5x2x3x1x48xi1>
    %185 = stablehlo.broadcast_in_dim %183, dims = [] : (tensor<f32>) -> tensor<5x2x3x1x48xf32>
    %186 = stablehlo.select %184, %182, %185 : tensor<5x2x3x1x48xi1>, tensor<5x2x3x1x48xf32>
    %187 = stablehlo.constant dense<0xFF800000> : tensor<f32>
    %188 = stablehlo.reduce(%186 init: %187) applies stablehlo.maximum across dimensions = [4] : (tensor<5x2x3x1x48xf32>, tensor<f32>) -> tensor<5x2x3x1xf32>
    %189 = stablehlo.broadcast_in_dim %188, dims = [0, 1, 2, 3] : (tensor<5x2x3x1xf32>) -> tensor<5x2x3x1x48xf32>
    %190 = stablehlo.subtract %186, %189 : tensor<5x2x3x1x48xf32>
    %191 = stablehlo.exponential %190 : tensor<5x2x3x1x48xf32>
    %192 = stablehlo.constant dense<0.0> : tensor<f32>
    %193 = stablehlo.reduce(%191 init: %192) applies stablehlo.add across dimensions = [4] : (tensor<5x2x3x1x48xf32>, tensor<f32>) -> tensor<5x2x3x1xf32>
    %194 = stablehlo.broadcast_in_dim %193, dims = [0, 1, 2, 3] : (tensor<5x2x3x1xf32>) -> tensor<5x2x3x1x48xf32>
    %195 = stablehlo.divide %191, %194 : tensor<5x2x3x1x48xf32>
    %196 = stablehlo.dot_general %195, %176, batching_dims = [0, 1] x [0, 1], contracting_dims = [4] x [2], precision = [HIGHEST, HIGHEST] : (tensor<5x2x3x1x48xf32>, tensor<5x2x48x32xf32>) -> tensor<5x2x3x1x32xf32>
    %197 = stablehlo.reshape %196 : (tensor<5x2x3x1x32xf32>) -> tensor<5x6x32xf32>
    %198 = stablehlo.convert %197 : (tensor<5x6x32xf32>) -> tensor<5x6x32xbf16>
    %199 = stablehlo.reshape %198 : (tensor<5x6x32xbf16>) -> tensor<5x192xbf16>
    %200 = stablehlo.convert %199 : (tensor<5x192xbf16>) -> tensor<5x192xf32>
    return %200 : tensor<5x192xf32>
  }
}
