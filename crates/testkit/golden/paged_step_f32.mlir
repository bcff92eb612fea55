module @paged_step_f32 attributes {mhlo.num_replicas = 1 : i32, mhlo.num_partitions = 1 : i32} {
  func.func public @main(%arg0: tensor<5x60xf32>, %arg1: tensor<5x3xf32>, %arg2: tensor<5x3xf32>, %arg3: tensor<2x3xi32>, %arg4: tensor<5xi32>, %arg5: tensor<5xi32>, %arg6: tensor<5xi32>, %arg7: tensor<6xf32>, %arg8: tensor<6xf32>, %arg9: tensor<6x2x6x16xf32>, %arg10: tensor<6x2x16x6xf32>) -> (tensor<5x36xf32>) {
    %0 = stablehlo.slice %arg0 [0:5, 0:36] : (tensor<5x60xf32>) -> tensor<5x36xf32>
    %1 = stablehlo.reshape %0 : (tensor<5x36xf32>) -> tensor<5x6x6xf32>
    %2 = stablehlo.slice %arg0 [0:5, 36:48] : (tensor<5x60xf32>) -> tensor<5x12xf32>
    %3 = stablehlo.reshape %2 : (tensor<5x12xf32>) -> tensor<5x2x6xf32>
    %4 = stablehlo.slice %arg0 [0:5, 48:60] : (tensor<5x60xf32>) -> tensor<5x12xf32>
    %5 = stablehlo.reshape %4 : (tensor<5x12xf32>) -> tensor<5x2x6xf32>
    %6 = stablehlo.multiply %1, %1 : tensor<5x6x6xf32>
    %7 = stablehlo.constant dense<0.0> : tensor<f32>
    %8 = stablehlo.reduce(%6 init: %7) applies stablehlo.add across dimensions = [2] : (tensor<5x6x6xf32>, tensor<f32>) -> tensor<5x6xf32>
    %9 = stablehlo.constant dense<0.16666667> : tensor<f32>
    %10 = stablehlo.broadcast_in_dim %9, dims = [] : (tensor<f32>) -> tensor<5x6xf32>
    %11 = stablehlo.multiply %8, %10 : tensor<5x6xf32>
    %12 = stablehlo.constant dense<1.0e-5> : tensor<f32>
    %13 = stablehlo.broadcast_in_dim %12, dims = [] : (tensor<f32>) -> tensor<5x6xf32>
    %14 = stablehlo.add %11, %13 : tensor<5x6xf32>
    %15 = stablehlo.rsqrt %14 : tensor<5x6xf32>
    %16 = stablehlo.broadcast_in_dim %15, dims = [0, 1] : (tensor<5x6xf32>) -> tensor<5x6x6xf32>
    %17 = stablehlo.multiply %1, %16 : tensor<5x6x6xf32>
    %18 = stablehlo.broadcast_in_dim %arg7, dims = [2] : (tensor<6xf32>) -> tensor<5x6x6xf32>
    %19 = stablehlo.multiply %17, %18 : tensor<5x6x6xf32>
    %20 = stablehlo.slice %19 [0:5, 0:6, 0:3] : (tensor<5x6x6xf32>) -> tensor<5x6x3xf32>
    %21 = stablehlo.slice %19 [0:5, 0:6, 3:6] : (tensor<5x6x6xf32>) -> tensor<5x6x3xf32>
    %22 = stablehlo.broadcast_in_dim %arg1, dims = [0, 2] : (tensor<5x3xf32>) -> tensor<5x6x3xf32>
    %23 = stablehlo.multiply %20, %22 : tensor<5x6x3xf32>
    %24 = stablehlo.broadcast_in_dim %arg2, dims = [0, 2] : (tensor<5x3xf32>) -> tensor<5x6x3xf32>
    %25 = stablehlo.multiply %21, %24 : tensor<5x6x3xf32>
    %26 = stablehlo.subtract %23, %25 : tensor<5x6x3xf32>
    %27 = stablehlo.multiply %21, %22 : tensor<5x6x3xf32>
    %28 = stablehlo.multiply %20, %24 : tensor<5x6x3xf32>
    %29 = stablehlo.add %27, %28 : tensor<5x6x3xf32>
    %30 = stablehlo.concatenate %26, %29, dim = 2 : (tensor<5x6x3xf32>, tensor<5x6x3xf32>) -> tensor<5x6x6xf32>
    %31 = stablehlo.multiply %3, %3 : tensor<5x2x6xf32>
    %32 = stablehlo.constant dense<0.0> : tensor<f32>
    %33 = stablehlo.reduce(%31 init: %32) applies stablehlo.add across dimensions = [2] : (tensor<5x2x6xf32>, tensor<f32>) -> tensor<5x2xf32>
    %34 = stablehlo.broadcast_in_dim %9, dims = [] : (tensor<f32>) -> tensor<5x2xf32>
    %35 = stablehlo.multiply %33, %34 : tensor<5x2xf32>
    %36 = stablehlo.broadcast_in_dim %12, dims = [] : (tensor<f32>) -> tensor<5x2xf32>
    %37 = stablehlo.add %35, %36 : tensor<5x2xf32>
    %38 = stablehlo.rsqrt %37 : tensor<5x2xf32>
    %39 = stablehlo.broadcast_in_dim %38, dims = [0, 1] : (tensor<5x2xf32>) -> tensor<5x2x6xf32>
    %40 = stablehlo.multiply %3, %39 : tensor<5x2x6xf32>
    %41 = stablehlo.broadcast_in_dim %arg8, dims = [2] : (tensor<6xf32>) -> tensor<5x2x6xf32>
    %42 = stablehlo.multiply %40, %41 : tensor<5x2x6xf32>
    %43 = stablehlo.slice %42 [0:5, 0:2, 0:3] : (tensor<5x2x6xf32>) -> tensor<5x2x3xf32>
    %44 = stablehlo.slice %42 [0:5, 0:2, 3:6] : (tensor<5x2x6xf32>) -> tensor<5x2x3xf32>
    %45 = stablehlo.broadcast_in_dim %arg1, dims = [0, 2] : (tensor<5x3xf32>) -> tensor<5x2x3xf32>
    %46 = stablehlo.multiply %43, %45 : tensor<5x2x3xf32>
    %47 = stablehlo.broadcast_in_dim %arg2, dims = [0, 2] : (tensor<5x3xf32>) -> tensor<5x2x3xf32>
    %48 = stablehlo.multiply %44, %47 : tensor<5x2x3xf32>
    %49 = stablehlo.subtract %46, %48 : tensor<5x2x3xf32>
    %50 = stablehlo.multiply %44, %45 : tensor<5x2x3xf32>
    %51 = stablehlo.multiply %43, %47 : tensor<5x2x3xf32>
    %52 = stablehlo.add %50, %51 : tensor<5x2x3xf32>
    %53 = stablehlo.concatenate %49, %52, dim = 2 : (tensor<5x2x3xf32>, tensor<5x2x3xf32>) -> tensor<5x2x6xf32>
    %54 = stablehlo.iota dim = 1 : tensor<5x96xi32>
    %55 = stablehlo.broadcast_in_dim %arg6, dims = [0] : (tensor<5xi32>) -> tensor<5x96xi32>
    %56 = stablehlo.compare EQ, %55, %54, SIGNED : (tensor<5x96xi32>, tensor<5x96xi32>) -> tensor<5x96xi1>
    %57 = stablehlo.convert %56 : (tensor<5x96xi1>) -> tensor<5x96xf32>
    %58 = stablehlo.constant dense<0.0> : tensor<f32>
    %59 = stablehlo.reduce(%57 init: %58) applies stablehlo.add across dimensions = [0] : (tensor<5x96xf32>, tensor<f32>) -> tensor<96xf32>
    %60 = stablehlo.constant dense<1.0> : tensor<f32>
    %61 = stablehlo.broadcast_in_dim %60, dims = [] : (tensor<f32>) -> tensor<96xf32>
    %62 = stablehlo.compare GE, %59, %61, FLOAT : (tensor<96xf32>, tensor<96xf32>) -> tensor<96xi1>
    %63 = stablehlo.transpose %arg9, dims = [0, 3, 1, 2] : (tensor<6x2x6x16xf32>) -> tensor<6x16x2x6xf32>
    %64 = stablehlo.reshape %63 : (tensor<6x16x2x6xf32>) -> tensor<96x2x6xf32>
    %65 = stablehlo.dot_general %57, %53, contracting_dims = [0] x [0], precision = [HIGHEST, HIGHEST] : (tensor<5x96xf32>, tensor<5x2x6xf32>) -> tensor<96x2x6xf32>
    %66 = stablehlo.broadcast_in_dim %62, dims = [0] : (tensor<96xi1>) -> tensor<96x2x6xi1>
    %67 = stablehlo.select %66, %65, %64 : tensor<96x2x6xi1>, tensor<96x2x6xf32>
    %68 = stablehlo.transpose %arg10, dims = [0, 2, 1, 3] : (tensor<6x2x16x6xf32>) -> tensor<6x16x2x6xf32>
    %69 = stablehlo.reshape %68 : (tensor<6x16x2x6xf32>) -> tensor<96x2x6xf32>
    %70 = stablehlo.dot_general %57, %5, contracting_dims = [0] x [0], precision = [HIGHEST, HIGHEST] : (tensor<5x96xf32>, tensor<5x2x6xf32>) -> tensor<96x2x6xf32>
    %71 = stablehlo.select %66, %70, %69 : tensor<96x2x6xi1>, tensor<96x2x6xf32>
    %72 = stablehlo.constant dense<16> : tensor<i32>
    %73 = stablehlo.broadcast_in_dim %72, dims = [] : (tensor<i32>) -> tensor<2x3xi32>
    %74 = stablehlo.multiply %arg3, %73 : tensor<2x3xi32>
    %75 = stablehlo.broadcast_in_dim %74, dims = [0, 1] : (tensor<2x3xi32>) -> tensor<2x3x16xi32>
    %76 = stablehlo.iota dim = 2 : tensor<2x3x16xi32>
    %77 = stablehlo.add %75, %76 : tensor<2x3x16xi32>
    %78 = stablehlo.reshape %77 : (tensor<2x3x16xi32>) -> tensor<2x48xi32>
    %79 = "stablehlo.gather"(%78, %arg4) <{dimension_numbers = #stablehlo.gather<offset_dims = [1], collapsed_slice_dims = [0], start_index_map = [0], index_vector_dim = 1>, indices_are_sorted = false, slice_sizes = array<i64: 1, 48>}> : (tensor<2x48xi32>, tensor<5xi32>) -> tensor<5x48xi32>
    %80 = stablehlo.iota dim = 2 : tensor<5x1x48xi32>
    %81 = stablehlo.broadcast_in_dim %arg5, dims = [0] : (tensor<5xi32>) -> tensor<5x1x48xi32>
    %82 = stablehlo.compare LE, %80, %81, SIGNED : (tensor<5x1x48xi32>, tensor<5x1x48xi32>) -> tensor<5x1x48xi1>
    %83 = "stablehlo.gather"(%67, %79) <{dimension_numbers = #stablehlo.gather<offset_dims = [2, 3], collapsed_slice_dims = [0], start_index_map = [0], index_vector_dim = 2>, indices_are_sorted = false, slice_sizes = array<i64: 1, 2, 6>}> : (tensor<96x2x6xf32>, tensor<5x48xi32>) -> tensor<5x48x2x6xf32>
    %84 = stablehlo.transpose %83, dims = [0, 2, 1, 3] : (tensor<5x48x2x6xf32>) -> tensor<5x2x48x6xf32>
    %85 = "stablehlo.gather"(%71, %79) <{dimension_numbers = #stablehlo.gather<offset_dims = [2, 3], collapsed_slice_dims = [0], start_index_map = [0], index_vector_dim = 2>, indices_are_sorted = false, slice_sizes = array<i64: 1, 2, 6>}> : (tensor<96x2x6xf32>, tensor<5x48xi32>) -> tensor<5x48x2x6xf32>
    %86 = stablehlo.transpose %85, dims = [0, 2, 1, 3] : (tensor<5x48x2x6xf32>) -> tensor<5x2x48x6xf32>
    %87 = stablehlo.reshape %30 : (tensor<5x6x6xf32>) -> tensor<5x2x3x1x6xf32>
    %88 = stablehlo.dot_general %87, %84, batching_dims = [0, 1] x [0, 1], contracting_dims = [4] x [3], precision = [HIGHEST, HIGHEST] : (tensor<5x2x3x1x6xf32>, tensor<5x2x48x6xf32>) -> tensor<5x2x3x1x48xf32>
    %89 = stablehlo.constant dense<0.4082483> : tensor<f32>
    %90 = stablehlo.broadcast_in_dim %89, dims = [] : (tensor<f32>) -> tensor<5x2x3x1x48xf32>
    %91 = stablehlo.multiply %88, %90 : tensor<5x2x3x1x48xf32>
    %92 = stablehlo.constant dense<-1.0e30> : tensor<f32>
    %93 = stablehlo.broadcast_in_dim %82, dims = [0, 3, 4] : (tensor<5x1x48xi1>) -> tensor<5x2x3x1x48xi1>
    %94 = stablehlo.broadcast_in_dim %92, dims = [] : (tensor<f32>) -> tensor<5x2x3x1x48xf32>
    %95 = stablehlo.select %93, %91, %94 : tensor<5x2x3x1x48xi1>, tensor<5x2x3x1x48xf32>
    %96 = stablehlo.constant dense<0xFF800000> : tensor<f32>
    %97 = stablehlo.reduce(%95 init: %96) applies stablehlo.maximum across dimensions = [4] : (tensor<5x2x3x1x48xf32>, tensor<f32>) -> tensor<5x2x3x1xf32>
    %98 = stablehlo.broadcast_in_dim %97, dims = [0, 1, 2, 3] : (tensor<5x2x3x1xf32>) -> tensor<5x2x3x1x48xf32>
    %99 = stablehlo.subtract %95, %98 : tensor<5x2x3x1x48xf32>
    %100 = stablehlo.exponential %99 : tensor<5x2x3x1x48xf32>
    %101 = stablehlo.constant dense<0.0> : tensor<f32>
    %102 = stablehlo.reduce(%100 init: %101) applies stablehlo.add across dimensions = [4] : (tensor<5x2x3x1x48xf32>, tensor<f32>) -> tensor<5x2x3x1xf32>
    %103 = stablehlo.broadcast_in_dim %102, dims = [0, 1, 2, 3] : (tensor<5x2x3x1xf32>) -> tensor<5x2x3x1x48xf32>
    %104 = stablehlo.divide %100, %103 : tensor<5x2x3x1x48xf32>
    %105 = stablehlo.dot_general %104, %86, batching_dims = [0, 1] x [0, 1], contracting_dims = [4] x [2], precision = [HIGHEST, HIGHEST] : (tensor<5x2x3x1x48xf32>, tensor<5x2x48x6xf32>) -> tensor<5x2x3x1x6xf32>
    %106 = stablehlo.reshape %105 : (tensor<5x2x3x1x6xf32>) -> tensor<5x6x6xf32>
    %107 = stablehlo.reshape %106 : (tensor<5x6x6xf32>) -> tensor<5x36xf32>
    return %107 : tensor<5x36xf32>
  }
}
