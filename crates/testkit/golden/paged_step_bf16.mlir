module @paged_step_bf16 attributes {mhlo.num_replicas = 1 : i32, mhlo.num_partitions = 1 : i32} {
  func.func public @main(%arg0: tensor<5x320xbf16>, %arg1: tensor<5x16xf32>, %arg2: tensor<5x16xf32>, %arg3: tensor<2x3xi32>, %arg4: tensor<5xi32>, %arg5: tensor<5xi32>, %arg6: tensor<5xi32>, %arg7: tensor<32xbf16>, %arg8: tensor<32xbf16>, %arg9: tensor<6x2x32x16xbf16>, %arg10: tensor<6x2x16x32xbf16>) -> (tensor<5x192xbf16>) {
    %0 = stablehlo.slice %arg0 [0:5, 0:192] : (tensor<5x320xbf16>) -> tensor<5x192xbf16>
    %1 = stablehlo.reshape %0 : (tensor<5x192xbf16>) -> tensor<5x6x32xbf16>
    %2 = stablehlo.slice %arg0 [0:5, 192:256] : (tensor<5x320xbf16>) -> tensor<5x64xbf16>
    %3 = stablehlo.reshape %2 : (tensor<5x64xbf16>) -> tensor<5x2x32xbf16>
    %4 = stablehlo.slice %arg0 [0:5, 256:320] : (tensor<5x320xbf16>) -> tensor<5x64xbf16>
    %5 = stablehlo.reshape %4 : (tensor<5x64xbf16>) -> tensor<5x2x32xbf16>
    %6 = stablehlo.convert %1 : (tensor<5x6x32xbf16>) -> tensor<5x6x32xf32>
    %7 = stablehlo.multiply %6, %6 : tensor<5x6x32xf32>
    %8 = stablehlo.constant dense<0.0> : tensor<f32>
    %9 = stablehlo.reduce(%7 init: %8) applies stablehlo.add across dimensions = [2] : (tensor<5x6x32xf32>, tensor<f32>) -> tensor<5x6xf32>
    %10 = stablehlo.constant dense<0.03125> : tensor<f32>
    %11 = stablehlo.broadcast_in_dim %10, dims = [] : (tensor<f32>) -> tensor<5x6xf32>
    %12 = stablehlo.multiply %9, %11 : tensor<5x6xf32>
    %13 = stablehlo.constant dense<1.0e-5> : tensor<f32>
    %14 = stablehlo.broadcast_in_dim %13, dims = [] : (tensor<f32>) -> tensor<5x6xf32>
    %15 = stablehlo.add %12, %14 : tensor<5x6xf32>
    %16 = stablehlo.rsqrt %15 : tensor<5x6xf32>
    %17 = stablehlo.broadcast_in_dim %16, dims = [0, 1] : (tensor<5x6xf32>) -> tensor<5x6x32xf32>
    %18 = stablehlo.multiply %6, %17 : tensor<5x6x32xf32>
    %19 = stablehlo.convert %18 : (tensor<5x6x32xf32>) -> tensor<5x6x32xbf16>
    %20 = stablehlo.broadcast_in_dim %arg7, dims = [2] : (tensor<32xbf16>) -> tensor<5x6x32xbf16>
    %21 = stablehlo.multiply %19, %20 : tensor<5x6x32xbf16>
    %22 = stablehlo.convert %21 : (tensor<5x6x32xbf16>) -> tensor<5x6x32xf32>
    %23 = stablehlo.slice %22 [0:5, 0:6, 0:16] : (tensor<5x6x32xf32>) -> tensor<5x6x16xf32>
    %24 = stablehlo.slice %22 [0:5, 0:6, 16:32] : (tensor<5x6x32xf32>) -> tensor<5x6x16xf32>
    %25 = stablehlo.broadcast_in_dim %arg1, dims = [0, 2] : (tensor<5x16xf32>) -> tensor<5x6x16xf32>
    %26 = stablehlo.multiply %23, %25 : tensor<5x6x16xf32>
    %27 = stablehlo.broadcast_in_dim %arg2, dims = [0, 2] : (tensor<5x16xf32>) -> tensor<5x6x16xf32>
    %28 = stablehlo.multiply %24, %27 : tensor<5x6x16xf32>
    %29 = stablehlo.subtract %26, %28 : tensor<5x6x16xf32>
    %30 = stablehlo.multiply %24, %25 : tensor<5x6x16xf32>
    %31 = stablehlo.multiply %23, %27 : tensor<5x6x16xf32>
    %32 = stablehlo.add %30, %31 : tensor<5x6x16xf32>
    %33 = stablehlo.concatenate %29, %32, dim = 2 : (tensor<5x6x16xf32>, tensor<5x6x16xf32>) -> tensor<5x6x32xf32>
    %34 = stablehlo.convert %33 : (tensor<5x6x32xf32>) -> tensor<5x6x32xbf16>
    %35 = stablehlo.convert %3 : (tensor<5x2x32xbf16>) -> tensor<5x2x32xf32>
    %36 = stablehlo.multiply %35, %35 : tensor<5x2x32xf32>
    %37 = stablehlo.constant dense<0.0> : tensor<f32>
    %38 = stablehlo.reduce(%36 init: %37) applies stablehlo.add across dimensions = [2] : (tensor<5x2x32xf32>, tensor<f32>) -> tensor<5x2xf32>
    %39 = stablehlo.broadcast_in_dim %10, dims = [] : (tensor<f32>) -> tensor<5x2xf32>
    %40 = stablehlo.multiply %38, %39 : tensor<5x2xf32>
    %41 = stablehlo.broadcast_in_dim %13, dims = [] : (tensor<f32>) -> tensor<5x2xf32>
    %42 = stablehlo.add %40, %41 : tensor<5x2xf32>
    %43 = stablehlo.rsqrt %42 : tensor<5x2xf32>
    %44 = stablehlo.broadcast_in_dim %43, dims = [0, 1] : (tensor<5x2xf32>) -> tensor<5x2x32xf32>
    %45 = stablehlo.multiply %35, %44 : tensor<5x2x32xf32>
    %46 = stablehlo.convert %45 : (tensor<5x2x32xf32>) -> tensor<5x2x32xbf16>
    %47 = stablehlo.broadcast_in_dim %arg8, dims = [2] : (tensor<32xbf16>) -> tensor<5x2x32xbf16>
    %48 = stablehlo.multiply %46, %47 : tensor<5x2x32xbf16>
    %49 = stablehlo.convert %48 : (tensor<5x2x32xbf16>) -> tensor<5x2x32xf32>
    %50 = stablehlo.slice %49 [0:5, 0:2, 0:16] : (tensor<5x2x32xf32>) -> tensor<5x2x16xf32>
    %51 = stablehlo.slice %49 [0:5, 0:2, 16:32] : (tensor<5x2x32xf32>) -> tensor<5x2x16xf32>
    %52 = stablehlo.broadcast_in_dim %arg1, dims = [0, 2] : (tensor<5x16xf32>) -> tensor<5x2x16xf32>
    %53 = stablehlo.multiply %50, %52 : tensor<5x2x16xf32>
    %54 = stablehlo.broadcast_in_dim %arg2, dims = [0, 2] : (tensor<5x16xf32>) -> tensor<5x2x16xf32>
    %55 = stablehlo.multiply %51, %54 : tensor<5x2x16xf32>
    %56 = stablehlo.subtract %53, %55 : tensor<5x2x16xf32>
    %57 = stablehlo.multiply %51, %52 : tensor<5x2x16xf32>
    %58 = stablehlo.multiply %50, %54 : tensor<5x2x16xf32>
    %59 = stablehlo.add %57, %58 : tensor<5x2x16xf32>
    %60 = stablehlo.concatenate %56, %59, dim = 2 : (tensor<5x2x16xf32>, tensor<5x2x16xf32>) -> tensor<5x2x32xf32>
    %61 = stablehlo.convert %60 : (tensor<5x2x32xf32>) -> tensor<5x2x32xbf16>
    %62 = stablehlo.iota dim = 1 : tensor<5x96xi32>
    %63 = stablehlo.broadcast_in_dim %arg6, dims = [0] : (tensor<5xi32>) -> tensor<5x96xi32>
    %64 = stablehlo.compare EQ, %63, %62, SIGNED : (tensor<5x96xi32>, tensor<5x96xi32>) -> tensor<5x96xi1>
    %65 = stablehlo.convert %64 : (tensor<5x96xi1>) -> tensor<5x96xf32>
    %66 = stablehlo.constant dense<0.0> : tensor<f32>
    %67 = stablehlo.reduce(%65 init: %66) applies stablehlo.add across dimensions = [0] : (tensor<5x96xf32>, tensor<f32>) -> tensor<96xf32>
    %68 = stablehlo.constant dense<1.0> : tensor<f32>
    %69 = stablehlo.broadcast_in_dim %68, dims = [] : (tensor<f32>) -> tensor<96xf32>
    %70 = stablehlo.compare GE, %67, %69, FLOAT : (tensor<96xf32>, tensor<96xf32>) -> tensor<96xi1>
    %71 = stablehlo.transpose %arg9, dims = [0, 3, 1, 2] : (tensor<6x2x32x16xbf16>) -> tensor<6x16x2x32xbf16>
    %72 = stablehlo.reshape %71 : (tensor<6x16x2x32xbf16>) -> tensor<96x2x32xbf16>
    %73 = stablehlo.convert %61 : (tensor<5x2x32xbf16>) -> tensor<5x2x32xf32>
    %74 = stablehlo.dot_general %65, %73, contracting_dims = [0] x [0], precision = [HIGHEST, HIGHEST] : (tensor<5x96xf32>, tensor<5x2x32xf32>) -> tensor<96x2x32xf32>
    %75 = stablehlo.convert %74 : (tensor<96x2x32xf32>) -> tensor<96x2x32xbf16>
    %76 = stablehlo.broadcast_in_dim %70, dims = [0] : (tensor<96xi1>) -> tensor<96x2x32xi1>
    %77 = stablehlo.select %76, %75, %72 : tensor<96x2x32xi1>, tensor<96x2x32xbf16>
    %78 = stablehlo.transpose %arg10, dims = [0, 2, 1, 3] : (tensor<6x2x16x32xbf16>) -> tensor<6x16x2x32xbf16>
    %79 = stablehlo.reshape %78 : (tensor<6x16x2x32xbf16>) -> tensor<96x2x32xbf16>
    %80 = stablehlo.convert %5 : (tensor<5x2x32xbf16>) -> tensor<5x2x32xf32>
    %81 = stablehlo.dot_general %65, %80, contracting_dims = [0] x [0], precision = [HIGHEST, HIGHEST] : (tensor<5x96xf32>, tensor<5x2x32xf32>) -> tensor<96x2x32xf32>
    %82 = stablehlo.convert %81 : (tensor<96x2x32xf32>) -> tensor<96x2x32xbf16>
    %83 = stablehlo.select %76, %82, %79 : tensor<96x2x32xi1>, tensor<96x2x32xbf16>
    %84 = stablehlo.constant dense<16> : tensor<i32>
    %85 = stablehlo.broadcast_in_dim %84, dims = [] : (tensor<i32>) -> tensor<2x3xi32>
    %86 = stablehlo.multiply %arg3, %85 : tensor<2x3xi32>
    %87 = stablehlo.broadcast_in_dim %86, dims = [0, 1] : (tensor<2x3xi32>) -> tensor<2x3x16xi32>
    %88 = stablehlo.iota dim = 2 : tensor<2x3x16xi32>
    %89 = stablehlo.add %87, %88 : tensor<2x3x16xi32>
    %90 = stablehlo.reshape %89 : (tensor<2x3x16xi32>) -> tensor<2x48xi32>
    %91 = "stablehlo.gather"(%90, %arg4) <{dimension_numbers = #stablehlo.gather<offset_dims = [1], collapsed_slice_dims = [0], start_index_map = [0], index_vector_dim = 1>, indices_are_sorted = false, slice_sizes = array<i64: 1, 48>}> : (tensor<2x48xi32>, tensor<5xi32>) -> tensor<5x48xi32>
    %92 = stablehlo.iota dim = 2 : tensor<5x1x48xi32>
    %93 = stablehlo.broadcast_in_dim %arg5, dims = [0] : (tensor<5xi32>) -> tensor<5x1x48xi32>
    %94 = stablehlo.compare LE, %92, %93, SIGNED : (tensor<5x1x48xi32>, tensor<5x1x48xi32>) -> tensor<5x1x48xi1>
    %95 = "stablehlo.gather"(%77, %91) <{dimension_numbers = #stablehlo.gather<offset_dims = [2, 3], collapsed_slice_dims = [0], start_index_map = [0], index_vector_dim = 2>, indices_are_sorted = false, slice_sizes = array<i64: 1, 2, 32>}> : (tensor<96x2x32xbf16>, tensor<5x48xi32>) -> tensor<5x48x2x32xbf16>
    %96 = stablehlo.transpose %95, dims = [0, 2, 1, 3] : (tensor<5x48x2x32xbf16>) -> tensor<5x2x48x32xbf16>
    %97 = "stablehlo.gather"(%83, %91) <{dimension_numbers = #stablehlo.gather<offset_dims = [2, 3], collapsed_slice_dims = [0], start_index_map = [0], index_vector_dim = 2>, indices_are_sorted = false, slice_sizes = array<i64: 1, 2, 32>}> : (tensor<96x2x32xbf16>, tensor<5x48xi32>) -> tensor<5x48x2x32xbf16>
    %98 = stablehlo.transpose %97, dims = [0, 2, 1, 3] : (tensor<5x48x2x32xbf16>) -> tensor<5x2x48x32xbf16>
    %99 = stablehlo.reshape %34 : (tensor<5x6x32xbf16>) -> tensor<5x2x3x1x32xbf16>
    %100 = stablehlo.dot_general %99, %96, batching_dims = [0, 1] x [0, 1], contracting_dims = [4] x [3] : (tensor<5x2x3x1x32xbf16>, tensor<5x2x48x32xbf16>) -> tensor<5x2x3x1x48xf32>
    %101 = stablehlo.constant dense<0.17677669> : tensor<f32>
    %102 = stablehlo.broadcast_in_dim %101, dims = [] : (tensor<f32>) -> tensor<5x2x3x1x48xf32>
    %103 = stablehlo.multiply %100, %102 : tensor<5x2x3x1x48xf32>
    %104 = stablehlo.constant dense<-1.0e30> : tensor<f32>
    %105 = stablehlo.broadcast_in_dim %94, dims = [0, 3, 4] : (tensor<5x1x48xi1>) -> tensor<5x2x3x1x48xi1>
    %106 = stablehlo.broadcast_in_dim %104, dims = [] : (tensor<f32>) -> tensor<5x2x3x1x48xf32>
    %107 = stablehlo.select %105, %103, %106 : tensor<5x2x3x1x48xi1>, tensor<5x2x3x1x48xf32>
    %108 = stablehlo.constant dense<0xFF800000> : tensor<f32>
    %109 = stablehlo.reduce(%107 init: %108) applies stablehlo.maximum across dimensions = [4] : (tensor<5x2x3x1x48xf32>, tensor<f32>) -> tensor<5x2x3x1xf32>
    %110 = stablehlo.broadcast_in_dim %109, dims = [0, 1, 2, 3] : (tensor<5x2x3x1xf32>) -> tensor<5x2x3x1x48xf32>
    %111 = stablehlo.subtract %107, %110 : tensor<5x2x3x1x48xf32>
    %112 = stablehlo.exponential %111 : tensor<5x2x3x1x48xf32>
    %113 = stablehlo.constant dense<0.0> : tensor<f32>
    %114 = stablehlo.reduce(%112 init: %113) applies stablehlo.add across dimensions = [4] : (tensor<5x2x3x1x48xf32>, tensor<f32>) -> tensor<5x2x3x1xf32>
    %115 = stablehlo.broadcast_in_dim %114, dims = [0, 1, 2, 3] : (tensor<5x2x3x1xf32>) -> tensor<5x2x3x1x48xf32>
    %116 = stablehlo.divide %112, %115 : tensor<5x2x3x1x48xf32>
    %117 = stablehlo.convert %116 : (tensor<5x2x3x1x48xf32>) -> tensor<5x2x3x1x48xbf16>
    %118 = stablehlo.dot_general %117, %98, batching_dims = [0, 1] x [0, 1], contracting_dims = [4] x [2] : (tensor<5x2x3x1x48xbf16>, tensor<5x2x48x32xbf16>) -> tensor<5x2x3x1x32xf32>
    %119 = stablehlo.convert %118 : (tensor<5x2x3x1x32xf32>) -> tensor<5x2x3x1x32xbf16>
    %120 = stablehlo.reshape %119 : (tensor<5x2x3x1x32xbf16>) -> tensor<5x6x32xbf16>
    %121 = stablehlo.reshape %120 : (tensor<5x6x32xbf16>) -> tensor<5x192xbf16>
    return %121 : tensor<5x192xbf16>
  }
}
