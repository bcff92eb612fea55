module @paged_step_int8_f32 attributes {mhlo.num_replicas = 1 : i32, mhlo.num_partitions = 1 : i32} {
  func.func public @main(%arg0: tensor<5x60xf32>, %arg1: tensor<5x3xf32>, %arg2: tensor<5x3xf32>, %arg3: tensor<2x3xi32>, %arg4: tensor<5xi32>, %arg5: tensor<5xi32>, %arg6: tensor<5xi32>, %arg7: tensor<6xf32>, %arg8: tensor<6xf32>, %arg9: tensor<6x2x6x16xf32>, %arg10: tensor<6x2x16x6xf32>) -> (tensor<5x36xf32>) {
    %0 = stablehlo.transpose %arg9, dims = [0, 1, 3, 2] : (tensor<6x2x6x16xf32>) -> tensor<6x2x16x6xf32>
    %1 = stablehlo.abs %0 : tensor<6x2x16x6xf32>
    %2 = stablehlo.constant dense<0xFF800000> : tensor<f32>
    %3 = stablehlo.reduce(%1 init: %2) applies stablehlo.maximum across dimensions = [3] : (tensor<6x2x16x6xf32>, tensor<f32>) -> tensor<6x2x16xf32>
    %4 = stablehlo.constant dense<127.0> : tensor<f32>
    %5 = stablehlo.broadcast_in_dim %4, dims = [] : (tensor<f32>) -> tensor<6x2x16xf32>
    %6 = stablehlo.divide %3, %5 : tensor<6x2x16xf32>
    %7 = stablehlo.constant dense<1.0e-30> : tensor<f32>
    %8 = stablehlo.broadcast_in_dim %7, dims = [] : (tensor<f32>) -> tensor<6x2x16xf32>
    %9 = stablehlo.maximum %6, %8 : tensor<6x2x16xf32>
    %10 = stablehlo.constant dense<1.0> : tensor<f32>
    %11 = stablehlo.broadcast_in_dim %10, dims = [] : (tensor<f32>) -> tensor<6x2x16xf32>
    %12 = stablehlo.divide %11, %9 : tensor<6x2x16xf32>
    %13 = stablehlo.broadcast_in_dim %12, dims = [0, 1, 2] : (tensor<6x2x16xf32>) -> tensor<6x2x16x6xf32>
    %14 = stablehlo.multiply %0, %13 : tensor<6x2x16x6xf32>
    %15 = stablehlo.constant dense<0.5> : tensor<f32>
    %16 = stablehlo.broadcast_in_dim %15, dims = [] : (tensor<f32>) -> tensor<6x2x16x6xf32>
    %17 = stablehlo.add %14, %16 : tensor<6x2x16x6xf32>
    %18 = stablehlo.floor %17 : tensor<6x2x16x6xf32>
    %19 = stablehlo.convert %18 : (tensor<6x2x16x6xf32>) -> tensor<6x2x16x6xi8>
    %20 = stablehlo.abs %arg10 : tensor<6x2x16x6xf32>
    %21 = stablehlo.constant dense<0xFF800000> : tensor<f32>
    %22 = stablehlo.reduce(%20 init: %21) applies stablehlo.maximum across dimensions = [3] : (tensor<6x2x16x6xf32>, tensor<f32>) -> tensor<6x2x16xf32>
    %23 = stablehlo.divide %22, %5 : tensor<6x2x16xf32>
    %24 = stablehlo.maximum %23, %8 : tensor<6x2x16xf32>
    %25 = stablehlo.divide %11, %24 : tensor<6x2x16xf32>
    %26 = stablehlo.broadcast_in_dim %25, dims = [0, 1, 2] : (tensor<6x2x16xf32>) -> tensor<6x2x16x6xf32>
    %27 = stablehlo.multiply %arg10, %26 : tensor<6x2x16x6xf32>
    %28 = stablehlo.add %27, %16 : tensor<6x2x16x6xf32>
    %29 = stablehlo.floor %28 : tensor<6x2x16x6xf32>
    %30 = stablehlo.convert %29 : (tensor<6x2x16x6xf32>) -> tensor<6x2x16x6xi8>
    %31 = stablehlo.transpose %19, dims = [0, 1, 3, 2] : (tensor<6x2x16x6xi8>) -> tensor<6x2x6x16xi8>
    %32 = stablehlo.slice %arg0 [0:5, 0:36] : (tensor<5x60xf32>) -> tensor<5x36xf32>
    %33 = stablehlo.reshape %32 : (tensor<5x36xf32>) -> tensor<5x6x6xf32>
    %34 = stablehlo.slice %arg0 [0:5, 36:48] : (tensor<5x60xf32>) -> tensor<5x12xf32>
    %35 = stablehlo.reshape %34 : (tensor<5x12xf32>) -> tensor<5x2x6xf32>
    %36 = stablehlo.slice %arg0 [0:5, 48:60] : (tensor<5x60xf32>) -> tensor<5x12xf32>
    %37 = stablehlo.reshape %36 : (tensor<5x12xf32>) -> tensor<5x2x6xf32>
    %38 = stablehlo.multiply %33, %33 : tensor<5x6x6xf32>
    %39 = stablehlo.constant dense<0.0> : tensor<f32>
    %40 = stablehlo.reduce(%38 init: %39) applies stablehlo.add across dimensions = [2] : (tensor<5x6x6xf32>, tensor<f32>) -> tensor<5x6xf32>
    %41 = stablehlo.constant dense<0.16666667> : tensor<f32>
    %42 = stablehlo.broadcast_in_dim %41, dims = [] : (tensor<f32>) -> tensor<5x6xf32>
    %43 = stablehlo.multiply %40, %42 : tensor<5x6xf32>
    %44 = stablehlo.constant dense<1.0e-5> : tensor<f32>
    %45 = stablehlo.broadcast_in_dim %44, dims = [] : (tensor<f32>) -> tensor<5x6xf32>
    %46 = stablehlo.add %43, %45 : tensor<5x6xf32>
    %47 = stablehlo.rsqrt %46 : tensor<5x6xf32>
    %48 = stablehlo.broadcast_in_dim %47, dims = [0, 1] : (tensor<5x6xf32>) -> tensor<5x6x6xf32>
    %49 = stablehlo.multiply %33, %48 : tensor<5x6x6xf32>
    %50 = stablehlo.broadcast_in_dim %arg7, dims = [2] : (tensor<6xf32>) -> tensor<5x6x6xf32>
    %51 = stablehlo.multiply %49, %50 : tensor<5x6x6xf32>
    %52 = stablehlo.slice %51 [0:5, 0:6, 0:3] : (tensor<5x6x6xf32>) -> tensor<5x6x3xf32>
    %53 = stablehlo.slice %51 [0:5, 0:6, 3:6] : (tensor<5x6x6xf32>) -> tensor<5x6x3xf32>
    %54 = stablehlo.broadcast_in_dim %arg1, dims = [0, 2] : (tensor<5x3xf32>) -> tensor<5x6x3xf32>
    %55 = stablehlo.multiply %52, %54 : tensor<5x6x3xf32>
    %56 = stablehlo.broadcast_in_dim %arg2, dims = [0, 2] : (tensor<5x3xf32>) -> tensor<5x6x3xf32>
    %57 = stablehlo.multiply %53, %56 : tensor<5x6x3xf32>
    %58 = stablehlo.subtract %55, %57 : tensor<5x6x3xf32>
    %59 = stablehlo.multiply %53, %54 : tensor<5x6x3xf32>
    %60 = stablehlo.multiply %52, %56 : tensor<5x6x3xf32>
    %61 = stablehlo.add %59, %60 : tensor<5x6x3xf32>
    %62 = stablehlo.concatenate %58, %61, dim = 2 : (tensor<5x6x3xf32>, tensor<5x6x3xf32>) -> tensor<5x6x6xf32>
    %63 = stablehlo.multiply %35, %35 : tensor<5x2x6xf32>
    %64 = stablehlo.constant dense<0.0> : tensor<f32>
    %65 = stablehlo.reduce(%63 init: %64) applies stablehlo.add across dimensions = [2] : (tensor<5x2x6xf32>, tensor<f32>) -> tensor<5x2xf32>
    %66 = stablehlo.broadcast_in_dim %41, dims = [] : (tensor<f32>) -> tensor<5x2xf32>
    %67 = stablehlo.multiply %65, %66 : tensor<5x2xf32>
    %68 = stablehlo.broadcast_in_dim %44, dims = [] : (tensor<f32>) -> tensor<5x2xf32>
    %69 = stablehlo.add %67, %68 : tensor<5x2xf32>
    %70 = stablehlo.rsqrt %69 : tensor<5x2xf32>
    %71 = stablehlo.broadcast_in_dim %70, dims = [0, 1] : (tensor<5x2xf32>) -> tensor<5x2x6xf32>
    %72 = stablehlo.multiply %35, %71 : tensor<5x2x6xf32>
    %73 = stablehlo.broadcast_in_dim %arg8, dims = [2] : (tensor<6xf32>) -> tensor<5x2x6xf32>
    %74 = stablehlo.multiply %72, %73 : tensor<5x2x6xf32>
    %75 = stablehlo.slice %74 [0:5, 0:2, 0:3] : (tensor<5x2x6xf32>) -> tensor<5x2x3xf32>
    %76 = stablehlo.slice %74 [0:5, 0:2, 3:6] : (tensor<5x2x6xf32>) -> tensor<5x2x3xf32>
    %77 = stablehlo.broadcast_in_dim %arg1, dims = [0, 2] : (tensor<5x3xf32>) -> tensor<5x2x3xf32>
    %78 = stablehlo.multiply %75, %77 : tensor<5x2x3xf32>
    %79 = stablehlo.broadcast_in_dim %arg2, dims = [0, 2] : (tensor<5x3xf32>) -> tensor<5x2x3xf32>
    %80 = stablehlo.multiply %76, %79 : tensor<5x2x3xf32>
    %81 = stablehlo.subtract %78, %80 : tensor<5x2x3xf32>
    %82 = stablehlo.multiply %76, %77 : tensor<5x2x3xf32>
    %83 = stablehlo.multiply %75, %79 : tensor<5x2x3xf32>
    %84 = stablehlo.add %82, %83 : tensor<5x2x3xf32>
    %85 = stablehlo.concatenate %81, %84, dim = 2 : (tensor<5x2x3xf32>, tensor<5x2x3xf32>) -> tensor<5x2x6xf32>
    %86 = stablehlo.abs %85 : tensor<5x2x6xf32>
    %87 = stablehlo.constant dense<0xFF800000> : tensor<f32>
    %88 = stablehlo.reduce(%86 init: %87) applies stablehlo.maximum across dimensions = [2] : (tensor<5x2x6xf32>, tensor<f32>) -> tensor<5x2xf32>
    %89 = stablehlo.broadcast_in_dim %4, dims = [] : (tensor<f32>) -> tensor<5x2xf32>
    %90 = stablehlo.divide %88, %89 : tensor<5x2xf32>
    %91 = stablehlo.broadcast_in_dim %7, dims = [] : (tensor<f32>) -> tensor<5x2xf32>
    %92 = stablehlo.maximum %90, %91 : tensor<5x2xf32>
    %93 = stablehlo.broadcast_in_dim %10, dims = [] : (tensor<f32>) -> tensor<5x2xf32>
    %94 = stablehlo.divide %93, %92 : tensor<5x2xf32>
    %95 = stablehlo.broadcast_in_dim %94, dims = [0, 1] : (tensor<5x2xf32>) -> tensor<5x2x6xf32>
    %96 = stablehlo.multiply %85, %95 : tensor<5x2x6xf32>
    %97 = stablehlo.broadcast_in_dim %15, dims = [] : (tensor<f32>) -> tensor<5x2x6xf32>
    %98 = stablehlo.add %96, %97 : tensor<5x2x6xf32>
    %99 = stablehlo.floor %98 : tensor<5x2x6xf32>
    %100 = stablehlo.convert %99 : (tensor<5x2x6xf32>) -> tensor<5x2x6xi8>
    %101 = stablehlo.abs %37 : tensor<5x2x6xf32>
    %102 = stablehlo.constant dense<0xFF800000> : tensor<f32>
    %103 = stablehlo.reduce(%101 init: %102) applies stablehlo.maximum across dimensions = [2] : (tensor<5x2x6xf32>, tensor<f32>) -> tensor<5x2xf32>
    %104 = stablehlo.divide %103, %89 : tensor<5x2xf32>
    %105 = stablehlo.maximum %104, %91 : tensor<5x2xf32>
    %106 = stablehlo.divide %93, %105 : tensor<5x2xf32>
    %107 = stablehlo.broadcast_in_dim %106, dims = [0, 1] : (tensor<5x2xf32>) -> tensor<5x2x6xf32>
    %108 = stablehlo.multiply %37, %107 : tensor<5x2x6xf32>
    %109 = stablehlo.add %108, %97 : tensor<5x2x6xf32>
    %110 = stablehlo.floor %109 : tensor<5x2x6xf32>
    %111 = stablehlo.convert %110 : (tensor<5x2x6xf32>) -> tensor<5x2x6xi8>
    %112 = stablehlo.iota dim = 1 : tensor<5x96xi32>
    %113 = stablehlo.broadcast_in_dim %arg6, dims = [0] : (tensor<5xi32>) -> tensor<5x96xi32>
    %114 = stablehlo.compare EQ, %113, %112, SIGNED : (tensor<5x96xi32>, tensor<5x96xi32>) -> tensor<5x96xi1>
    %115 = stablehlo.convert %114 : (tensor<5x96xi1>) -> tensor<5x96xf32>
    %116 = stablehlo.constant dense<0.0> : tensor<f32>
    %117 = stablehlo.reduce(%115 init: %116) applies stablehlo.add across dimensions = [0] : (tensor<5x96xf32>, tensor<f32>) -> tensor<96xf32>
    %118 = stablehlo.broadcast_in_dim %10, dims = [] : (tensor<f32>) -> tensor<96xf32>
    %119 = stablehlo.compare GE, %117, %118, FLOAT : (tensor<96xf32>, tensor<96xf32>) -> tensor<96xi1>
    %120 = stablehlo.transpose %31, dims = [0, 3, 1, 2] : (tensor<6x2x6x16xi8>) -> tensor<6x16x2x6xi8>
    %121 = stablehlo.reshape %120 : (tensor<6x16x2x6xi8>) -> tensor<96x2x6xi8>
    %122 = stablehlo.convert %100 : (tensor<5x2x6xi8>) -> tensor<5x2x6xf32>
    %123 = stablehlo.dot_general %115, %122, contracting_dims = [0] x [0], precision = [HIGHEST, HIGHEST] : (tensor<5x96xf32>, tensor<5x2x6xf32>) -> tensor<96x2x6xf32>
    %124 = stablehlo.convert %123 : (tensor<96x2x6xf32>) -> tensor<96x2x6xi8>
    %125 = stablehlo.broadcast_in_dim %119, dims = [0] : (tensor<96xi1>) -> tensor<96x2x6xi1>
    %126 = stablehlo.select %125, %124, %121 : tensor<96x2x6xi1>, tensor<96x2x6xi8>
    %127 = stablehlo.transpose %30, dims = [0, 2, 1, 3] : (tensor<6x2x16x6xi8>) -> tensor<6x16x2x6xi8>
    %128 = stablehlo.reshape %127 : (tensor<6x16x2x6xi8>) -> tensor<96x2x6xi8>
    %129 = stablehlo.convert %111 : (tensor<5x2x6xi8>) -> tensor<5x2x6xf32>
    %130 = stablehlo.dot_general %115, %129, contracting_dims = [0] x [0], precision = [HIGHEST, HIGHEST] : (tensor<5x96xf32>, tensor<5x2x6xf32>) -> tensor<96x2x6xf32>
    %131 = stablehlo.convert %130 : (tensor<96x2x6xf32>) -> tensor<96x2x6xi8>
    %132 = stablehlo.select %125, %131, %128 : tensor<96x2x6xi1>, tensor<96x2x6xi8>
    %133 = stablehlo.transpose %9, dims = [0, 2, 1] : (tensor<6x2x16xf32>) -> tensor<6x16x2xf32>
    %134 = stablehlo.reshape %133 : (tensor<6x16x2xf32>) -> tensor<96x2xf32>
    %135 = stablehlo.dot_general %115, %92, contracting_dims = [0] x [0], precision = [HIGHEST, HIGHEST] : (tensor<5x96xf32>, tensor<5x2xf32>) -> tensor<96x2xf32>
    %136 = stablehlo.broadcast_in_dim %119, dims = [0] : (tensor<96xi1>) -> tensor<96x2xi1>
    %137 = stablehlo.select %136, %135, %134 : tensor<96x2xi1>, tensor<96x2xf32>
    %138 = stablehlo.transpose %24, dims = [0, 2, 1] : (tensor<6x2x16xf32>) -> tensor<6x16x2xf32>
    %139 = stablehlo.reshape %138 : (tensor<6x16x2xf32>) -> tensor<96x2xf32>
    %140 = stablehlo.dot_general %115, %105, contracting_dims = [0] x [0], precision = [HIGHEST, HIGHEST] : (tensor<5x96xf32>, tensor<5x2xf32>) -> tensor<96x2xf32>
    %141 = stablehlo.select %136, %140, %139 : tensor<96x2xi1>, tensor<96x2xf32>
    %142 = stablehlo.constant dense<16> : tensor<i32>
    %143 = stablehlo.broadcast_in_dim %142, dims = [] : (tensor<i32>) -> tensor<2x3xi32>
    %144 = stablehlo.multiply %arg3, %143 : tensor<2x3xi32>
    %145 = stablehlo.broadcast_in_dim %144, dims = [0, 1] : (tensor<2x3xi32>) -> tensor<2x3x16xi32>
    %146 = stablehlo.iota dim = 2 : tensor<2x3x16xi32>
    %147 = stablehlo.add %145, %146 : tensor<2x3x16xi32>
    %148 = stablehlo.reshape %147 : (tensor<2x3x16xi32>) -> tensor<2x48xi32>
    %149 = "stablehlo.gather"(%148, %arg4) <{dimension_numbers = #stablehlo.gather<offset_dims = [1], collapsed_slice_dims = [0], start_index_map = [0], index_vector_dim = 1>, indices_are_sorted = false, slice_sizes = array<i64: 1, 48>}> : (tensor<2x48xi32>, tensor<5xi32>) -> tensor<5x48xi32>
    %150 = stablehlo.iota dim = 2 : tensor<5x1x48xi32>
    %151 = stablehlo.broadcast_in_dim %arg5, dims = [0] : (tensor<5xi32>) -> tensor<5x1x48xi32>
    %152 = stablehlo.compare LE, %150, %151, SIGNED : (tensor<5x1x48xi32>, tensor<5x1x48xi32>) -> tensor<5x1x48xi1>
    %153 = "stablehlo.gather"(%126, %149) <{dimension_numbers = #stablehlo.gather<offset_dims = [2, 3], collapsed_slice_dims = [0], start_index_map = [0], index_vector_dim = 2>, indices_are_sorted = false, slice_sizes = array<i64: 1, 2, 6>}> : (tensor<96x2x6xi8>, tensor<5x48xi32>) -> tensor<5x48x2x6xi8>
    %154 = stablehlo.convert %153 : (tensor<5x48x2x6xi8>) -> tensor<5x48x2x6xf32>
    %155 = "stablehlo.gather"(%137, %149) <{dimension_numbers = #stablehlo.gather<offset_dims = [2], collapsed_slice_dims = [0], start_index_map = [0], index_vector_dim = 2>, indices_are_sorted = false, slice_sizes = array<i64: 1, 2>}> : (tensor<96x2xf32>, tensor<5x48xi32>) -> tensor<5x48x2xf32>
    %156 = stablehlo.broadcast_in_dim %155, dims = [0, 1, 2] : (tensor<5x48x2xf32>) -> tensor<5x48x2x6xf32>
    %157 = stablehlo.multiply %154, %156 : tensor<5x48x2x6xf32>
    %158 = stablehlo.transpose %157, dims = [0, 2, 1, 3] : (tensor<5x48x2x6xf32>) -> tensor<5x2x48x6xf32>
    %159 = "stablehlo.gather"(%132, %149) <{dimension_numbers = #stablehlo.gather<offset_dims = [2, 3], collapsed_slice_dims = [0], start_index_map = [0], index_vector_dim = 2>, indices_are_sorted = false, slice_sizes = array<i64: 1, 2, 6>}> : (tensor<96x2x6xi8>, tensor<5x48xi32>) -> tensor<5x48x2x6xi8>
    %160 = stablehlo.convert %159 : (tensor<5x48x2x6xi8>) -> tensor<5x48x2x6xf32>
    %161 = "stablehlo.gather"(%141, %149) <{dimension_numbers = #stablehlo.gather<offset_dims = [2], collapsed_slice_dims = [0], start_index_map = [0], index_vector_dim = 2>, indices_are_sorted = false, slice_sizes = array<i64: 1, 2>}> : (tensor<96x2xf32>, tensor<5x48xi32>) -> tensor<5x48x2xf32>
    %162 = stablehlo.broadcast_in_dim %161, dims = [0, 1, 2] : (tensor<5x48x2xf32>) -> tensor<5x48x2x6xf32>
    %163 = stablehlo.multiply %160, %162 : tensor<5x48x2x6xf32>
    %164 = stablehlo.transpose %163, dims = [0, 2, 1, 3] : (tensor<5x48x2x6xf32>) -> tensor<5x2x48x6xf32>
    %165 = stablehlo.reshape %62 : (tensor<5x6x6xf32>) -> tensor<5x2x3x1x6xf32>
    %166 = stablehlo.dot_general %165, %158, batching_dims = [0, 1] x [0, 1], contracting_dims = [4] x [3], precision = [HIGHEST, HIGHEST] : (tensor<5x2x3x1x6xf32>, tensor<5x2x48x6xf32>) -> tensor<5x2x3x1x48xf32>
    %167 = stablehlo.constant dense<0.4082483> : tensor<f32>
    %168 = stablehlo.broadcast_in_dim %167, dims = [] : (tensor<f32>) -> tensor<5x2x3x1x48xf32>
    %169 = stablehlo.multiply %166, %168 : tensor<5x2x3x1x48xf32>
    %170 = stablehlo.constant dense<-1.0e30> : tensor<f32>
    %171 = stablehlo.broadcast_in_dim %152, dims = [0, 3, 4] : (tensor<5x1x48xi1>) -> tensor<5x2x3x1x48xi1>
    %172 = stablehlo.broadcast_in_dim %170, dims = [] : (tensor<f32>) -> tensor<5x2x3x1x48xf32>
    %173 = stablehlo.select %171, %169, %172 : tensor<5x2x3x1x48xi1>, tensor<5x2x3x1x48xf32>
    %174 = stablehlo.constant dense<0xFF800000> : tensor<f32>
    %175 = stablehlo.reduce(%173 init: %174) applies stablehlo.maximum across dimensions = [4] : (tensor<5x2x3x1x48xf32>, tensor<f32>) -> tensor<5x2x3x1xf32>
    %176 = stablehlo.broadcast_in_dim %175, dims = [0, 1, 2, 3] : (tensor<5x2x3x1xf32>) -> tensor<5x2x3x1x48xf32>
    %177 = stablehlo.subtract %173, %176 : tensor<5x2x3x1x48xf32>
    %178 = stablehlo.exponential %177 : tensor<5x2x3x1x48xf32>
    %179 = stablehlo.constant dense<0.0> : tensor<f32>
    %180 = stablehlo.reduce(%178 init: %179) applies stablehlo.add across dimensions = [4] : (tensor<5x2x3x1x48xf32>, tensor<f32>) -> tensor<5x2x3x1xf32>
    %181 = stablehlo.broadcast_in_dim %180, dims = [0, 1, 2, 3] : (tensor<5x2x3x1xf32>) -> tensor<5x2x3x1x48xf32>
    %182 = stablehlo.divide %178, %181 : tensor<5x2x3x1x48xf32>
    %183 = stablehlo.dot_general %182, %164, batching_dims = [0, 1] x [0, 1], contracting_dims = [4] x [2], precision = [HIGHEST, HIGHEST] : (tensor<5x2x3x1x48xf32>, tensor<5x2x48x6xf32>) -> tensor<5x2x3x1x6xf32>
    %184 = stablehlo.reshape %183 : (tensor<5x2x3x1x6xf32>) -> tensor<5x6x6xf32>
    %185 = stablehlo.reshape %184 : (tensor<5x6x6xf32>) -> tensor<5x36xf32>
    return %185 : tensor<5x36xf32>
  }
}
